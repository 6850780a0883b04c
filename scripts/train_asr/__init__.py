"""Trains the acoustic model.

The steps in order, each resumable, run from the repository's root; docs/hearing.md says more::

    python -m scripts.train_asr.synthesise WORK
    python -m scripts.train_asr.align WORK NETWORK.pt recorded
    python -m scripts.train_asr.align WORK NETWORK.pt synthetic
    python -m scripts.train_asr.prepare WORK recorded
    python -m scripts.train_asr.prepare WORK synthetic
    python -m scripts.train_asr.train WORK NAME --start NETWORK.pt --minutes 60
    python -m scripts.train_asr.export WORK/NAME/network.pt models/voicecart-en
    python scripts/benchmark_asr.py
"""
