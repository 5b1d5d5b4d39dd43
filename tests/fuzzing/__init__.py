"""Fuzzing of everything that reads foreign bytes: files are damaged on purpose, and every answer is judged.

    python tests/fuzzing png --minutes 10 --seed 1     # one reader; findings are kept in a folder
    python tests/fuzzing --list

Seeds are small files, made on the fly by the project's own writers and by the libraries of each format. A mutation
knows the format: it changes lengths, counts, sizes and tags at their places, and puts checksums and compression right
again. An input that ends in a new place (an error raised somewhere new, another kind of image) becomes a seed itself.

What is right and what is wrong stands in ``judging``. The run is a child process with limits of memory and time, which
the parent watches; a short run without them is one of the tests (``tests/files/test_damaged_files.py``).

An engine that is guided by the coverage of Python code, such as Atheris, sees nothing of libpng, libav or LibRaw, which
do most of the parsing here. What it would find in the Python code, the places where errors are raised tell nearly
as well, at no cost, and a run is the same again for the same seed.
"""
