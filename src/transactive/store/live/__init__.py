"""What a live market writes before it counts: its journal, and the outboxes of boxes at meters."""
