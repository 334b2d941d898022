"""Jarvis: a voice and chat assistant that lives on a home server.

Importing the package sets what its dependencies read while they are imported: their telemetry off, one thread for
linear algebra.
"""

from assistant.blas import one_blas_thread
from assistant.telemetry import switch_off

switch_off()
one_blas_thread()
