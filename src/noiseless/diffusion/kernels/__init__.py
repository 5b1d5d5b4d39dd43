"""The arithmetic of the filters for NumPy arrays, compiled by numba; torch tensors take the plain form of it.

Each module here equals its plain counterpart in this room to rounding, and a test says so. They are imported only when
a NumPy image is first diffused (numba takes 0.4 s to import; compiled code is cached on disk).
"""
