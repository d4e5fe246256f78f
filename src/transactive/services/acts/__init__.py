"""What members do while their run goes on: limits, pauses, and taking such steps back."""
