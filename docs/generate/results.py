"""Pages of measured results: one for each report that a benchmark wrote."""

import re
import shutil
from pathlib import Path

from .files import write_folder

#: Reports by topic: the file, the title of its page, and what it measures.
TOPICS = {
    "Accuracy on new speakers": {
        "reference_systems": (
            "Published systems and this library's best",
            "Spoken digits and keywords, on held-out speakers and with the splits of the sources.",
        ),
        "classifiers": (
            "Classifiers with default settings",
            "The networks of this library on spoken digits, with no setting changed.",
        ),
        "nested_selection": (
            "Selection of the best settings: noise, networks and their average",
            "One of five candidates is chosen on five speakers, and scored on the sixth.",
        ),
        "nested_selection_augmentation": (
            "Selection of the best settings: augmentation and front end",
            "The same, with padded or ragged clips, preemphasis, and normalised bands.",
        ),
        "pretraining": (
            "Pretraining by autoencoders",
            "What unlabelled clips add when few clips have labels.",
        ),
        "pretrained": (
            "Pretrained speech embeddings",
            "Recipes with weights that others trained, on new speakers; layers and pooling.",
        ),
        "transfer": (
            "Transfer from other words and speakers",
            "What layers that were trained on other words add when there are few clips.",
        ),
        "utterances": (
            "Emotions",
            "Recipes for whole utterances, on held-out actors.",
        ),
        "targets": (
            "Numbers and several labels",
            "Regressors for pitch, duration and intensity; several labels per clip.",
        ),
        "voices": (
            "How many voices are needed",
            "Scores by the number of training speakers; words enrolled from a few clips.",
        ),
    },
    "Phones, words in recordings, sound": {
        "phoneme_recognition": (
            "Phone recognition",
            "Phone error rates on TIMIT's sample and connected digits; boundaries; speed.",
        ),
        "detection": (
            "Words in long recordings",
            "Misses and false alarms per hour, and the time it takes to search an hour.",
        ),
        "autoencoder_sound": (
            "Sound from the codes of an autoencoder",
            "How well words are recognised after they were encoded and decoded.",
        ),
    },
    "Speed and size": {
        "training_speed_cpu": (
            "Training and prediction",
            "Time of fit and predict, compared with a plain torch loop and with skorch.",
        ),
        "front_ends_cpu": (
            "Front ends",
            "Time and memory of mel spectrograms and MFCC, compared with other libraries.",
        ),
        "front_end_grid": (
            "Front ends by setting",
            "Time by rate, bands, and number and length of clips, beside the bare transform.",
        ),
        "serving": (
            "Answers for a few clips",
            "Time of one to 16 clips for each network, beside torch and onnxruntime.",
        ),
        "reading_speed": (
            "Reading sound files",
            "Time of AudioReader, beside a plain loop over soundfile.",
        ),
        "cross_validation_speed": (
            "Cross-validation by speaker",
            "Time that it takes beside scikit-learn's cross_validate, with trivial models.",
        ),
        "decoding_speed": (
            "Alignment and beam search",
            "Time by the length of a clip.",
        ),
        "stacked_speed": (
            "Stacked autoencoders",
            "Time of training, compared with a plain torch loop.",
        ),
        "dropout_speed": (
            "Dropout",
            "Time of training steps, compared with torch's own dropout.",
        ),
        "recipe_speed": (
            "The best recipe with all cores",
            "Time of fit, and clips per second from sound file to label.",
        ),
        "more_than_memory": (
            "More clips than memory",
            "Memory and time of fit and predict, by the number of clips.",
        ),
        "growth": (
            "Growth with the size",
            "Exponents of time and memory of training, prediction, validation and search.",
        ),
        "loading_speed": (
            "Time to the first prediction",
            "From the start of Python to the answer of a saved model.",
        ),
        "export": (
            "ONNX files",
            "Latency, memory, size and accuracy of exported pipelines, also with 8-bit weights.",
        ),
    },
    "Search": {
        "search_speed_linear": (
            "Search for a linear model",
            "Time until a search finds a score, compared with random search and Optuna's class.",
        ),
        "search_speed_cnn": (
            "Search for a convolutional network",
            "The same comparison with a network.",
        ),
        "search_storage": (
            "Searches in a database file",
            "Time that SQLite adds to a trial.",
        ),
        "search_kills": (
            "Searches that are killed",
            "Whether a search is usable after its process was killed and started again.",
        ),
    },
}

_INTRODUCTION = """# Results

Programs in the folder `benchmarks/` measured every figure on these pages and wrote the tables. Each
page names the machine and the versions. Accuracies are on speakers who were not in the training
data unless the caption says otherwise.

Most use the Free Spoken Digit Dataset (FSDD): 3,000 English digits of six speakers at 8 kHz. TIMIT
has read sentences with their phones, Speech Commands has single words of many speakers, and RAVDESS
has sentences that actors speak with eight emotions.
"""


def write_results_pages(source, folder):
    """Copy the reports in `source` to `folder`, with their pictures and a table of contents."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    reports = {
        path.stem: path.read_text()
        for path in sorted(Path(source).glob("*.md"))
        if path.name != "README.md"
    }
    topics = _topics(reports)
    texts = {"index.md": _index(topics)}
    for pages in topics.values():
        for name, (title, _) in pages.items():
            body = reports[name].partition("\n")[2]
            body = re.sub(r"^!\[(.*)\]\(.*\)$", r"\g<0>\n\n*\1*", body, flags=re.M)
            texts[f"{name}.md"] = f"# {title}\n{body}"
    write_folder(folder, texts)
    for picture in Path(source).glob("*.png"):
        shutil.copy2(picture, folder / picture.name)


def _topics(reports):
    """Sort the reports by topic; one without an entry keeps its own title, at the end."""
    topics = {}
    for topic, pages in TOPICS.items():
        found = {name: page for name, page in pages.items() if name in reports}
        if found:
            topics[topic] = found
    known = {name for pages in topics.values() for name in pages}
    rest = {
        name: (text.partition("\n")[0].lstrip("# "), "")
        for name, text in reports.items()
        if name not in known
    }
    if rest:
        topics["Further results"] = rest
    return topics


def _index(topics):
    parts = [_INTRODUCTION]
    for topic, pages in topics.items():
        rows = [f"| [{title}]({name}.md) | {what} |" for name, (title, what) in pages.items()]
        parts.append(f"## {topic}\n\n| page | what it measures |\n|---|---|\n" + "\n".join(rows))
    names = "\n".join(name for pages in topics.values() for name in pages)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{names}\n```\n")
    return "\n\n".join(parts)
