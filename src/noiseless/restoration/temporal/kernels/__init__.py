"""The arithmetic of video on NumPy arrays, compiled. Each function has a plain form."""
