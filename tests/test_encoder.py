"""The speaker encoder that is shipped: both engines, its folder, and the commands that show it."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from assistant.commands.main import main
from assistant.errors import ModelDamaged, ModelMissing
from assistant.hear.reading import read_audio
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.models import find_model, write_manifest
from assistant.pay.encoder import SpeechBrainEncoder, open_encoder
from assistant.pay.encoder_folder import CHECKPOINT, NETWORK, read_scoring, verify_folder
from assistant.pay.filterbank import Filterbank
from assistant.pay.onnx_encoder import OnnxEncoder
from assistant.pay.torchaudio_stand_in import allow_missing_torchaudio
from assistant.pay.verification import mean_embedding
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.settings import Pay

RATE = 16_000
FEATURES = {"sample_rate": RATE, "n_fft": 512, "n_mels": 80, "win_length": 32, "hop_length": 16}
# Synthesised voices; all but slt are among those never trained on (HELD_OUT in scripts/train_voiceprint/synthetic.py).
VOICES = ("rms", "awb", "slt", "en-us+f3")
SENTENCES = (
    "order two cartons of oat milk please",
    "how much is the brown bread today",
    "add a pack of coffee beans to my cart",
    "where is my last order of paper towels",
    "no, make it three bottles of dish soap",
    "seven four one nine zero two",
)


@pytest.fixture(scope="module")
def folder():
    return find_model("voicecart-voiceprint")


@pytest.fixture(scope="module")
def speechbrain():
    return SpeechBrainEncoder(Pay())


@pytest.fixture(scope="module")
def onnx():
    return OnnxEncoder(Pay(engine="onnx"))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Voice → files, one a sentence."""
    place = tmp_path_factory.mktemp("voices")
    files = {}
    for voice in VOICES:
        for number, sentence in enumerate(SENTENCES):
            path = place / f"{voice}-{number}.wav"
            if voice.startswith("en-us"):
                command = ["espeak-ng", "-v", voice, "-s", "150", "-w", path, sentence]
            else:
                command = ["flite", "-voice", voice, "-t", sentence, "-o", path]
            subprocess.run(command, check=True)
            files.setdefault(voice, []).append(path)
    return files


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "encoder")


def speech(seconds, seed=0):
    """Noise with the spectrum and the bursts of speech."""
    generator = np.random.default_rng(seed)
    noise = np.convolve(generator.standard_normal(int(seconds * RATE)), [1, 0.8, 0.4, 0.1], "same")
    bursts = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(len(noise)) / RATE)
    return (0.1 * noise * bursts).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.02, 0.1, 1.0, 3.1])
@pytest.mark.parametrize("win_length", [32, 25])
def test_the_filterbank_is_speechbrains(seconds, win_length):
    import torch

    allow_missing_torchaudio()
    from speechbrain.lobes.features import Fbank

    arguments = FEATURES | {"win_length": win_length}
    wave = speech(seconds)
    theirs = Fbank(**arguments)(torch.from_numpy(wave)[None])[0].numpy()
    ours = Filterbank(**arguments)(wave)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs - theirs.mean(0), atol=2e-2)


def test_the_filterbank_bears_silence():
    assert not Filterbank(**FEATURES)(np.zeros(8000, np.float32)).any()


@pytest.mark.parametrize("seconds", [0.03, 0.1, 0.8, 1.5, 3.0, 5.0, 11.3])
def test_both_engines_give_the_same_embedding(speechbrain, onnx, seconds):
    wave = speech(seconds, seed=int(seconds * 100))
    assert speechbrain.embed(wave) @ onnx.embed(wave) > 1 - 1e-3


def test_both_engines_give_the_same_embedding_of_voices(speechbrain, onnx, recordings):
    for files in recordings.values():
        wave = read_audio(files[0])
        assert speechbrain.embed(wave) @ onnx.embed(wave) > 1 - 1e-3


def test_both_engines_share_templates(speechbrain, onnx):
    assert speechbrain.model == onnx.model
    np.testing.assert_array_equal(speechbrain.scoring.cohort, onnx.scoring.cohort)
    assert speechbrain.scoring.calibration == onnx.scoring.calibration


def test_the_engine_is_a_setting():
    assert isinstance(open_encoder(Pay()), SpeechBrainEncoder)
    assert isinstance(open_encoder(Pay(engine="onnx")), OnnxEncoder)


def test_loudness_does_not_matter(onnx):
    wave = speech(2.0)
    assert onnx.embed(wave) @ onnx.embed(wave * 0.1) > 0.999


def test_embeddings_are_the_same_every_time_and_of_unit_length(onnx):
    wave = speech(2.0)
    first = onnx.embed(wave)
    np.testing.assert_array_equal(first, onnx.embed(wave))
    assert np.linalg.norm(first) == pytest.approx(1.0)
    assert first.shape == onnx.scoring.cohort.shape[1:]


def test_an_owner_is_accepted_and_other_voices_are_refused(onnx, recordings):
    voiced = VoicedSpeech(SileroVoiceActivity)
    clips = {voice: [voiced(read_audio(path)) for path in files] for voice, files in recordings.items()}
    for owner, takes in clips.items():
        template = mean_embedding(np.stack([onnx.embed(take) for take in takes[:5]]))
        for voice, tests in clips.items():
            verdict = onnx.scoring.judge(template, onnx.embed(tests[5]), len(tests[5]) / RATE)
            assert verdict.accepted == (voice == owner), (owner, voice, verdict)


def test_a_cohort_has_many_voices_of_unit_length(onnx):
    cohort = onnx.scoring.cohort
    assert len(cohort) >= 300
    np.testing.assert_allclose(np.linalg.norm(cohort, axis=1), 1.0, atol=1e-2)


@pytest.mark.parametrize("name", ["hyperparams.yaml", CHECKPOINT, NETWORK, "mean_var_norm_emb.ckpt", "cohort.npy"])
def test_a_changed_file_is_not_loaded(copied, name):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    for engine in ("speechbrain", "onnx"):
        with pytest.raises(ModelDamaged, match=name):
            open_encoder(Pay(voiceprint=str(copied), engine=engine)).embed(speech(1.0))


@pytest.mark.parametrize("name", ["hyperparams.yaml", CHECKPOINT, NETWORK, "calibration.json", "SHA256SUMS"])
def test_a_file_that_went_away_is_missed(copied, name):
    (copied / name).unlink()
    with pytest.raises(ModelDamaged, match=name):
        verify_folder(copied)


def test_a_file_without_checksum_is_not_accepted(copied):
    (copied / "custom.py").write_text("raise SystemExit('run')")
    with pytest.raises(ModelDamaged, match=r"custom\.py"):
        verify_folder(copied)


def test_hyperparameters_run_nothing_before_they_are_checked(copied, tmp_path):
    trace = tmp_path / "trace"
    with (copied / "hyperparams.yaml").open("a") as file:
        file.write(f"evil: !apply:pathlib.Path.touch [!new:pathlib.PosixPath [{trace}]]\n")
    with pytest.raises(ModelDamaged):
        SpeechBrainEncoder(Pay(voiceprint=str(copied))).embed(speech(1.0))
    assert not trace.exists()


def test_a_file_changed_after_the_start_is_not_loaded(copied):
    encoder = OnnxEncoder(Pay(voiceprint=str(copied)))
    assert encoder.model
    (copied / NETWORK).write_bytes(b"another network")
    with pytest.raises(ModelDamaged):
        encoder.embed(speech(1.0))


def test_an_onnx_file_of_another_checkpoint_is_refused(copied):
    with (copied / CHECKPOINT).open("ab") as file:
        file.write(b"\0")
    write_manifest(copied)
    with pytest.raises(ModelDamaged, match="another checkpoint"):
        OnnxEncoder(Pay(voiceprint=str(copied))).embed(speech(1.0))
    with pytest.raises(ModelDamaged, match="another network"):
        read_scoring(copied)


def test_a_folder_without_onnx_file_says_what_to_do(copied):
    (copied / NETWORK).unlink()
    write_manifest(copied)
    with pytest.raises(ModelMissing, match=r"pay\.engine"):
        OnnxEncoder(Pay(voiceprint=str(copied))).embed(speech(1.0))


def test_a_folder_without_calibration_is_compared_by_cosine(copied):
    """As the published spkrec-ecapa-voxceleb is."""
    for name in ("calibration.json", "cohort.npy", NETWORK):
        (copied / name).unlink()
    write_manifest(copied)
    encoder = SpeechBrainEncoder(Pay(voiceprint=str(copied)))
    wave = speech(2.0)
    verdict = encoder.scoring.judge(encoder.embed(wave), encoder.embed(wave), 2.0)
    assert verdict.score == verdict.cosine == pytest.approx(1.0)
    assert verdict.accepted


def test_a_calibration_without_cohort_is_damage(copied):
    (copied / "cohort.npy").unlink()
    write_manifest(copied)
    with pytest.raises(ModelDamaged):
        read_scoring(copied)


def test_the_onnx_engine_needs_no_pytorch(recordings):
    program = (
        "import sys; from assistant.commands.main import main; code = main(sys.argv[1:]);"
        "sys.exit(code or any(name.split('.')[0] in ('torch', 'speechbrain') for name in sys.modules))"
    )
    files = [str(path) for path in recordings[VOICES[0]][:2]]
    command = [sys.executable, "-c", program, "voiceprint", "compare", "--engine", "onnx", "--json"]
    done = subprocess.run([*command, "--enrol", *files, "--test", files[0]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["voiced_seconds"] > 1


@pytest.mark.parametrize("engine", ["onnx", "speechbrain"])
def test_compare_judges_every_test(recordings, capsys, engine, tmp_path):
    owner, other, *_ = VOICES
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(RATE), RATE)
    tests = [recordings[owner][5], recordings[other][5], silence]
    arguments = ["--enrol", *map(str, recordings[owner][:5]), "--test", *map(str, tests)]
    assert main(["voiceprint", "compare", *arguments, "--seconds", "1.5", "--engine", engine, "--json"]) == 0
    same, foreign, silent = map(json.loads, capsys.readouterr().out.splitlines())
    assert set(same) == {"input", "cosine", "score", "llr", "accepted", "voiced_seconds"}
    assert [line["input"] for line in (same, foreign, silent)] == list(map(str, tests))
    assert same["llr"] > foreign["llr"]
    assert same["voiced_seconds"] == 1.5
    assert (silent["llr"], silent["accepted"], silent["voiced_seconds"]) == (None, False, 0)


def test_embed_gives_unit_length(recordings, capsys, onnx):
    path = recordings[VOICES[0]][0]
    assert main(["voiceprint", "embed", str(path), "--engine", "onnx", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert main(["voiceprint", "embed", str(path), "--engine", "onnx", "--json", "--seconds", "1"]) == 0
    part = json.loads(capsys.readouterr().out)
    assert set(whole) == {"input", "embedding", "voiced_seconds"}
    assert np.linalg.norm(whole["embedding"]) == pytest.approx(1.0, abs=1e-6)
    assert whole["embedding"] @ onnx.embed(read_audio(path)) == pytest.approx(1.0, abs=1e-6)
    assert part["voiced_seconds"] == 1.0
    assert part["embedding"] != whole["embedding"]


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_seconds_that_are_none_are_refused(recordings, seconds, capsys):
    with pytest.raises(SystemExit):
        main(["voiceprint", "embed", str(recordings[VOICES[0]][0]), "--seconds", seconds])
    assert "seconds" in capsys.readouterr().err


def test_an_owner_without_speech_is_refused(tmp_path, capsys):
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(RATE), RATE)
    arguments = ["--enrol", str(silence), "--test", str(silence), "--engine", "onnx"]
    assert main(["voiceprint", "compare", *arguments]) == 2
    assert "no speech" in capsys.readouterr().err


def test_a_bad_recording_among_good_ones_is_named(recordings, tmp_path, capsys):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    good = str(recordings[VOICES[0]][0])
    assert main(["voiceprint", "embed", str(bad), good, "--engine", "onnx", "--json"]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["input"] == str(bad)
    assert first["error"]["code"] == "audio_unreadable"
    assert second["embedding"]
    assert main(["voiceprint", "compare", "--enrol", str(bad), "--test", good, "--engine", "onnx"]) == 2
