"""Where templates and static files of the pages lie, in a checkout and in a wheel alike."""

from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")
STATIC_FILES = Path(__file__).with_name("static")
