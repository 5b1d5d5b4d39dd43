"""The service: ``noiseless serve``. A page to drop an image on, and the same by HTTP for programs.

    application.py   the app: routes, guard, errors         serving.py    socket, signals, one line with the URL
    service.py       files, jobs and workers of a server    store.py      its folder, which nothing outlives
    waiting_jobs.py  the bounded queue                      processes.py  workers from outside: start, ask, kill
    worker.py        workers from inside; tasks.py does the work, with an engine

The server decodes nothing and loads no engine: uploads are read and denoised by worker processes, which may be killed
at any time. Tiles of pictures are cut from arrays that the workers left in files. What a client may say is checked in
``settings.py``, who may ask in ``guarding.py``, how much in ``limits.py``.
"""
