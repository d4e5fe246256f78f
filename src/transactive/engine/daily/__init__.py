"""What a run does once a day: advice for members, detection over all meters."""
