"""Stories whose every detail a seed decides, with coroutines and with threads."""
