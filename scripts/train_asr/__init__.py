"""Trains the acoustic model; the steps in order, each resumable (run from the repository's root):

python -m scripts.train_asr.synthesise WORK           # shopping sentences spoken by synthesisers
python -m scripts.train_asr.align WORK NETWORK.pt     # phones with times, for real and synthetic clips
python -m scripts.train_asr.prepare WORK              # augmented copies as features, in shards
python -m scripts.train_asr.train WORK NAME --start NETWORK.pt --minutes 60
python -m scripts.train_asr.export WORK/NAME/network.pt FOLDER
python scripts/benchmark_asr.py
"""
