"""TransActive: a local energy market that anyone can run.

For notebooks and programs, tables in and tables out, as Polars or pandas::

    import transactive as ta

    ta.load("my-community/community.toml")   a community with its data
    ta.simulate(community, days=7)           its days through every room of the market
    ta.clear(orders, mechanism="uniform")    anyone's order book
    ta.compare(community)                    the same days under several mechanisms
    ta.forecast(readings, "consumption_wh")  how well a series can be forecast
    ta.schedule(days, battery_wh=10_000, …)  what planning a battery saves
    ta.detect(readings)                      theft and faults in readings
    ta.verify("statement.json", state="…")   whether a member's statement holds

Each is described by `help`, as in `help(ta.clear)`. They are imported when they are first used.
"""

__version__ = "0.1.0"
__all__ = ["clear", "compare", "detect", "forecast", "load", "schedule", "simulate", "verify"]

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would cost more than all the rest
if TYPE_CHECKING:
    from transactive.face.clear import clear as clear
    from transactive.face.compare import compare as compare
    from transactive.face.detect import detect as detect
    from transactive.face.forecast import forecast as forecast
    from transactive.face.load import load as load
    from transactive.face.schedule import schedule as schedule
    from transactive.face.simulate import simulate as simulate
    from transactive.face.verify import verify as verify
else:  # or a checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Import a name of the face when it is first used; each stands in the module of its name."""
        if name not in __all__:
            raise AttributeError(f"module 'transactive' has no attribute {name!r}")
        from importlib import import_module

        found: object = getattr(import_module(f"transactive.face.{name}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """Names of the module, those that are not imported yet among them."""
    return sorted({*globals(), *__all__})
