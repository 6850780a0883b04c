"""Voicecart: a smart speaker that sells.

The packages follow a spoken order: ``hear`` → ``understand`` → ``talk`` → ``shop`` → ``pay`` → ``speak``.
"""

__version__ = "0.1.0"
