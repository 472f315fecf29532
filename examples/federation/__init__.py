"""A whole small federation below one folder, run as processes of its own: for the demo, the tests and the bench."""
