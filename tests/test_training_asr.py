"""The training pipeline of the acoustic model: features, objective, alignment, and a network that Vosk itself loads."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from assistant.hear import mfcc  # noqa: E402
from assistant.hear.acoustic_outputs import AcousticOutputs  # noqa: E402
from assistant.hear.alignment import align  # noqa: E402
from assistant.hear.graph import prepare_graphs  # noqa: E402
from assistant.hear.lexicon import Lexicon  # noqa: E402
from assistant.hear.nnet3 import read_network  # noqa: E402
from assistant.hear.topology import read_topology  # noqa: E402
from assistant.hear.vosk_recogniser import VoskRecogniser  # noqa: E402
from assistant.models import verify_model  # noqa: E402
from assistant.settings import Hear  # noqa: E402
from assistant.understand.grammar import Alternatives, Grammar, Words  # noqa: E402
from assistant.understand.understanding import Expecting  # noqa: E402
from scripts.train_asr import kaldi_format  # noqa: E402
from scripts.train_asr.align import load_network, outputs_of  # noqa: E402
from scripts.train_asr.augmentation import add_noise, degrade, speech_power  # noqa: E402
from scripts.train_asr.batches import Batches  # noqa: E402
from scripts.train_asr.examples import Example, write_examples  # noqa: E402
from scripts.train_asr.export import MFCC, export  # noqa: E402
from scripts.train_asr.network import Network, context  # noqa: E402
from scripts.train_asr.objective import count_bigram, lattice_free_mmi  # noqa: E402
from scripts.train_asr.restore import restored  # noqa: E402
from scripts.train_asr.sentences import Sentences  # noqa: E402

PHONES = read_topology(REPOSITORY / "models" / "voicecart-en").phones


def test_the_features_are_what_the_exported_configuration_says() -> None:
    written = dict(line.removeprefix("--").split("=") for line in MFCC.splitlines())
    options = mfcc.options()
    assert float(written["num-mel-bins"]) == options.mel_opts.num_bins
    assert float(written["num-ceps"]) == options.num_ceps
    assert float(written["low-freq"]) == options.mel_opts.low_freq
    assert float(written["high-freq"]) == options.mel_opts.high_freq
    assert float(written["dither"]) == options.frame_opts.dither
    assert (written["use-energy"] == "true") == options.use_energy
    # What the file leaves out is Kaldi's own default.
    assert (options.frame_opts.frame_length_ms, options.frame_opts.frame_shift_ms) == (25.0, 10.0)
    assert (options.frame_opts.window_type, options.frame_opts.preemph_coeff) == ("povey", pytest.approx(0.97))
    assert (options.cepstral_lifter, options.frame_opts.snip_edges) == (22.0, True)


def test_features_of_a_second_have_a_frame_every_ten_milliseconds() -> None:
    features = mfcc.mfcc(0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32))
    assert features.shape == (98, 40)


def random_batch(generator: np.random.Generator, phones: int) -> tuple[np.ndarray, list[int], list, list]:
    lengths = [11, 8]
    sequences = [generator.integers(phones, size=size).astype(np.int16) for size in (4, 3)]
    starts = [np.array([0, 3, 5, 8]), np.array([0, 2, 6])]
    return generator.standard_normal((2, 11, 2 * phones)), lengths, sequences, starts


def test_the_gradient_of_the_objective_equals_finite_differences() -> None:
    generator = np.random.default_rng(1)
    outputs, lengths, sequences, starts = random_batch(generator, 5)
    bigram = count_bigram(sequences, 5)
    gradient, _ = lattice_free_mmi(outputs, lengths, sequences, starts, bigram, tolerance=1)
    step = 1e-5
    for _ in range(60):
        place = (generator.integers(2), generator.integers(11), generator.integers(10))
        values = []
        for sign in (1, -1):
            moved = outputs.copy()
            moved[place] += sign * step
            values.append(lattice_free_mmi(moved, lengths, sequences, starts, bigram, tolerance=1)[1].sum())
        assert gradient[place] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-6)


def test_the_objective_is_a_log_probability_and_ignores_what_follows_a_clip() -> None:
    generator = np.random.default_rng(2)
    outputs, lengths, sequences, starts = random_batch(generator, 5)
    bigram = count_bigram(sequences, 5)
    gradient, values = lattice_free_mmi(outputs, lengths, sequences, starts, bigram)
    assert (values < 0).all()
    assert not gradient[1, 8:].any()
    longer = np.concatenate([outputs, generator.standard_normal((2, 5, 10))], axis=1)
    longer[1, 8:] = 50.0
    again = lattice_free_mmi(longer, lengths, sequences, starts, bigram)[1]
    assert again == pytest.approx(values)


def test_alignment_finds_the_variant_and_the_times_that_were_put_in() -> None:
    said = [(0, 2), (3, 2), (1, 3), (0, 2), (2, 3)]
    outputs = np.full((sum(frames for _, frames in said), 8), -5.0)
    time = 0
    for phone, frames in said:
        outputs[time, phone] = 5.0
        outputs[time + 1 : time + frames, 4 + phone] = 5.0
        time += frames
    found = align(outputs, [[[1, 2], [3, 1]], [[2]]])
    assert found is not None
    assert found.phones == (0, 3, 1, 0, 2)
    assert found.starts == (0, 2, 4, 7, 9)
    assert align(outputs[:3], [[[1, 2]], [[3, 1]]]) is None


def test_compressed_matrices_keep_their_values() -> None:
    values = np.random.default_rng(3).standard_normal((64, 17)).astype(np.float32)
    values[0] = 9.0
    packed = kaldi_format.two_byte_matrix(values)
    low, extent = np.frombuffer(packed[4:12], "<f4")
    assert packed[:4] == b"CM2 "
    decoded = low + extent * np.frombuffer(packed[20:], "<u2").reshape(values.shape) / 65535
    assert np.abs(decoded - values).max() < extent / 65535
    assert len(kaldi_format.one_byte_matrix(values)) == 3 + 16 + 17 * (8 + 64)


def test_noise_is_added_at_the_level_asked_for() -> None:
    generator = np.random.default_rng(4)
    speech = generator.standard_normal(16000).astype(np.float32) * 0.1
    noise = generator.standard_normal(16000).astype(np.float32)
    added = add_noise(speech, noise, 12.0) - speech
    assert 10 * np.log10(speech_power(speech) / np.mean(added**2)) == pytest.approx(12.0, abs=0.01)
    worse = degrade(speech, [noise], generator)
    assert worse.shape == speech.shape
    assert np.abs(worse).max() <= 1.0


def test_sentences_come_from_the_seed_and_can_be_said() -> None:
    make = lambda seed: Sentences(np.random.default_rng(seed), {"hello": 1.0, "there": 2.0}, ["zebra", "quartz"])
    first, second = make(5), make(5)
    said = [first.next() for _ in range(300)]
    assert said == [second.next() for _ in range(300)]
    assert all(text and set(text.lower()) <= set("abcdefghijklmnopqrstuvwxyz' ") for text in said)


def test_batches_put_labels_where_the_phones_are(tmp_path: Path) -> None:
    features = np.zeros((31, 40), np.float16)
    write_examples(tmp_path / "a.pickle", [Example(features, np.array([0, 2], np.int16), np.array([0, 4], np.int16))])
    batch = next(iter(Batches(tmp_path, (np.zeros(40), np.ones(40)), 5, 3, 1000, seed=1)))
    assert batch.labels.tolist() == [[0, 3, 3, 3, 2, 5, 5, 5, 5, 5, 5]]
    assert batch.features.shape == (1, 40, 3 * 10 + 2 * 5 + 1)


@pytest.fixture
def checkpoint() -> dict[str, object]:
    torch.manual_seed(0)
    dilations = [1, 2]
    network = Network(len(PHONES), 16, dilations)
    for norm in network.bn:
        norm.running_mean.uniform_(0.0, 0.5)
        norm.running_var.uniform_(0.5, 1.5)
    mean, deviation = np.linspace(-3, 3, 40), np.linspace(5, 20, 40)
    return {
        "weights": network.state_dict(),
        "mean": mean,
        "deviation": deviation,
        "phones": PHONES,
        "dilations": dilations,
    }


def test_vosk_loads_and_decodes_with_an_exported_network(checkpoint: dict[str, object], tmp_path: Path) -> None:
    for matrices in ("one-byte", "two-byte", "float"):
        folder = tmp_path / matrices
        export(checkpoint, folder, matrices)
        verify_model(folder, thorough=True)
        grammar = Grammar("answers", {"start": Alternatives(((0.0, Words("yes")), (0.0, Words("no thanks"))))})
        lexicon = Lexicon(REPOSITORY / "models" / "lexicon-en")
        graphs = prepare_graphs(folder, {Expecting.COMMAND: grammar}, "", lexicon, tmp_path / f"graphs-{matrices}")
        hearing = VoskRecogniser(graphs, Hear()).listen(Expecting.COMMAND)
        hearing.accept(0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32))
        # Chance weights hear anything, but never what the grammar does not hold.
        assert hearing.finish()[0].text in ("yes", "no thanks", "")


def test_the_device_computes_what_was_trained(checkpoint: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "verification.json").write_text('{"limit": 2.0}')
    export(checkpoint, tmp_path, "float")
    assert not (tmp_path / "verification.json").exists()  # The limit belonged to the network before.
    features = np.random.default_rng(2).normal(0, 10, (300, 40)).astype(np.float32)
    trained = outputs_of(load_network(checkpoint), checkpoint, features)
    computed = AcousticOutputs(read_network(tmp_path))(features)
    assert computed.shape == trained.shape
    assert np.abs(computed - trained).max() < 0.03 * np.abs(trained).max()


@pytest.mark.parametrize("matrices", ["one-byte", "two-byte", "float"])
def test_training_goes_on_from_the_exported_folder(
    checkpoint: dict[str, object], tmp_path: Path, matrices: str
) -> None:
    export(checkpoint, tmp_path / "first", matrices)
    features = np.random.default_rng(1).normal(0, 10, (2, 300, 40)).astype(np.float32)
    again = restored(tmp_path / "first", features)
    assert (again["phones"], again["dilations"]) == (list(PHONES), checkpoint["dilations"])
    network = Network(len(PHONES), again["hidden"], again["dilations"])
    network.load_state_dict(again["weights"])
    expected = Network(len(PHONES), again["hidden"], again["dilations"])
    expected.load_state_dict(checkpoint["weights"])
    with torch.inference_mode():
        outputs = [
            one.eval()(
                torch.from_numpy(
                    ((features - about["mean"]) / about["deviation"]).transpose(0, 2, 1).astype(np.float32)
                )
            )[0]
            for one, about in ((network, again), (expected, checkpoint))
        ]
    difference = (outputs[0] - outputs[1]).abs().max() / outputs[1].abs().max()
    assert difference < {"one-byte": 0.05, "two-byte": 1e-3, "float": 1e-4}[matrices]


def test_the_network_sees_as_much_as_it_says() -> None:
    network = Network(4, 8, (1, 2)).eval()
    wide = context((1, 2))
    outputs, _ = network(torch.zeros(1, 40, 3 * 6 + 2 * wide + 1))
    assert outputs.shape == (1, 8, 7)
