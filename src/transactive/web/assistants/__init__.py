"""What assistants may propose for a home: drafts that wait for the member's word on its own page."""
