"""Speed of log-mel spectrograms: this library, other libraries, and the FFT alone.

All candidates run alternately in one process. Run it on an otherwise idle machine:

    python benchmarks/front_ends.py
    python benchmarks/front_ends.py --device cuda --n-clips 10000
"""

import argparse
import importlib
import subprocess
import sys
import warnings

import numpy as np
import torch
from report import write_report
from timing import in_turns

from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.filters import mel_filterbank

SAMPLE_RATE, N_FFT, HOP, N_MELS = 16000, 512, 160, 40
OURS, FLOOR = "sklearn_speech MelSpectrogram", "bare torch.fft.rfft, frames ready"


def make_clips(n_clips):
    rng = np.random.default_rng(0)
    return 0.1 * rng.standard_normal((n_clips, SAMPLE_RATE), dtype=np.float32)


def our_front_end(device="cpu"):
    return MelSpectrogram(
        SAMPLE_RATE,
        n_fft=N_FFT,
        hop_length=HOP,
        n_mels=N_MELS,
        scaling="log",
        normalize=None,
        device=device,
    )


def torch_routes(clips):
    """The usual implementation in torch, and the Fourier transform alone."""
    x = torch.from_numpy(clips)
    window = torch.hann_window(N_FFT)
    bank = torch.from_numpy(mel_filterbank(SAMPLE_RATE, N_FFT, N_MELS)).float()
    padded = torch.nn.functional.pad(x, (N_FFT // 2, N_FFT // 2))
    view = padded.unfold(1, N_FFT, HOP)
    frames = view.contiguous()

    def stft_route():
        spectrum = torch.stft(
            x, N_FFT, HOP, window=window, center=True, pad_mode="constant", return_complex=True
        )
        return torch.log(bank @ spectrum.abs() ** 2 + 1e-6)

    return {
        "torch.stft, abs()**2, matmul, log": stft_route,
        FLOOR: lambda: torch.fft.rfft(frames),
        "bare torch.fft.rfft, overlapping view": lambda: torch.fft.rfft(view),
    }


def peers(clips):
    """Other libraries, if installed."""
    found = {}
    if importlib.util.find_spec("librosa"):
        import librosa

        def librosa_loop():
            options = {"sr": SAMPLE_RATE, "n_fft": N_FFT, "hop_length": HOP, "n_mels": N_MELS}
            return [
                librosa.power_to_db(librosa.feature.melspectrogram(y=clip, **options))
                for clip in clips
            ]

        found["librosa loop, power_to_db"] = librosa_loop
    if importlib.util.find_spec("nnAudio"):
        from nnAudio.features.mel import MelSpectrogram as NNAudioMel

        layer = NNAudioMel(
            sr=SAMPLE_RATE,
            n_fft=N_FFT,
            hop_length=HOP,
            n_mels=N_MELS,
            pad_mode="constant",
            verbose=False,
        )
        x = torch.from_numpy(clips)

        def nnaudio():
            with torch.no_grad():
                return torch.log(layer(x) + 1e-6)

        found["nnAudio, log"] = nnaudio
    if importlib.util.find_spec("kaldi_native_fbank"):
        import kaldi_native_fbank

        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.samp_freq = SAMPLE_RATE
        options.frame_opts.frame_length_ms = 1000 * N_FFT / SAMPLE_RATE
        options.frame_opts.dither = 0
        options.mel_opts.num_bins = N_MELS

        def kaldi():
            out = []
            for clip in clips:
                fbank = kaldi_native_fbank.OnlineFbank(options)
                fbank.accept_waveform(SAMPLE_RATE, clip)
                fbank.input_finished()
                out.append([fbank.get_frame(t) for t in range(fbank.num_frames_ready)])
            return out

        found["kaldi-native-fbank loop"] = kaldi
    if importlib.util.find_spec("python_speech_features"):
        import python_speech_features

        def speech_features():
            return [
                python_speech_features.logfbank(
                    clip,
                    SAMPLE_RATE,
                    winlen=N_FFT / SAMPLE_RATE,
                    winstep=HOP / SAMPLE_RATE,
                    nfilt=N_MELS,
                    nfft=N_FFT,
                )
                for clip in clips
            ]

        found["python_speech_features loop"] = speech_features
    return found


def cpu_table(clips, n_threads, n_repeats):
    torch.set_num_threads(n_threads)
    front_end = our_front_end().fit(clips[:2])
    candidates = {OURS: lambda: front_end.transform(clips), **torch_routes(clips), **peers(clips)}
    return table(in_turns(candidates, n_repeats))


def table(times):
    """Medians and minima of the time by the clock."""
    ours = times[OURS][1]
    return [
        {
            "": name,
            "median, ms": 1e3 * np.median(t),
            "minimum, ms": 1e3 * np.min(t),
            "median / ours": np.median(t) / np.median(ours),
            "minimum / ours": np.min(t) / np.min(ours),
        }
        for name, (_, t) in times.items()
    ]


def gpu_table(clips, n_repeats):
    """Clips on the GPU: the module inside a network, and cuFFT alone."""
    x = torch.from_numpy(clips).cuda()
    transformer = our_front_end("cuda").fit(clips[:2])
    layer = transformer.to_module().cuda()
    window = torch.hann_window(N_FFT, device="cuda")
    bank = torch.from_numpy(mel_filterbank(SAMPLE_RATE, N_FFT, N_MELS)).float().cuda()
    frames = torch.nn.functional.pad(x, (N_FFT // 2, N_FFT // 2)).unfold(1, N_FFT, HOP).contiguous()

    def without_gradients(function):
        def run():
            with torch.no_grad():
                function()

        return run

    def stft_route():
        spectrum = torch.stft(
            x, N_FFT, HOP, window=window, center=True, pad_mode="constant", return_complex=True
        )
        return torch.log(bank @ spectrum.abs() ** 2 + 1e-6)

    candidates = {
        OURS: without_gradients(lambda: layer(x)),
        "the same from host memory and back": lambda: transformer.transform(clips),
        "torch.stft, abs()**2, matmul, log": without_gradients(stft_route),
        "bare cuFFT, frames ready": without_gradients(lambda: torch.fft.rfft(frames)),
    }
    return table(in_turns(candidates, n_repeats, wait=torch.cuda.synchronize))


def peak_memory(n_clips):
    """Peak memory of one transform beyond its input and output, in MiB, in a fresh process."""
    code = f"import front_ends; print(front_ends.own_peak_memory({n_clips}))"
    folder = str(__import__("pathlib").Path(__file__).parent)
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True
    )
    return float(out.stdout.split()[-1])


def own_peak_memory(n_clips):
    clips = make_clips(n_clips)
    front_end = our_front_end().fit(clips[:2])
    front_end.transform(clips[:2])
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # reset the peak
    before = _status("VmHWM")
    out = front_end.transform(clips)
    return (_status("VmHWM") - before) / 1024 - out.nbytes / 2**20


def _status(key):
    """A figure of /proc/self/status, in KiB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--n-clips", type=int, default=512)
    parser.add_argument("--n-repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--folder", default=None, help="folder of the report")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    clips = make_clips(options.n_clips)
    what = f"{options.n_clips} clips of 1 s at 16 kHz, n_fft {N_FFT}, hop {HOP}, {N_MELS} mels, log"
    if options.device == "cuda":
        tables = {f"{what}, GPU": gpu_table(clips, options.n_repeats)}
        notes = []
    else:
        tables = {
            f"{what}, {n} thread{'s' if n > 1 else ''}": cpu_table(clips, n, options.n_repeats)
            for n in options.threads
        }
        sizes = (512, 2048, 4096)
        tables["Peak memory beyond input and output"] = [
            {"clips": n, "MiB": round(peak_memory(n), 1)} for n in sizes
        ]
        notes = ["A ratio above 1 is slower than this library."]
    place = {} if options.folder is None else {"folder": options.folder}
    path = write_report(f"front_ends_{options.device}", "Front ends", tables, notes, **place)
    print(path.read_text())


if __name__ == "__main__":
    main()
