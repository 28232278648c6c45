"""Configuration of the documentation site.

``python -m sphinx -W --keep-going -n docs docs/_build`` builds it without network access. Two
environment variables change what is built:

- ``DOCS_INTERSPHINX=1`` downloads the inventories of other projects, so that their names become
  links. Without it, such names are plain text.
- ``DOCS_RUN_EXAMPLES=1`` runs the examples on synthetic speech, which takes minutes. Without it,
  the gallery shows their text and code.
"""

import os
import re
import sys
from pathlib import Path

# Progress bars would fill the output of examples; tqdm reads this when it is imported.
os.environ.setdefault("TQDM_DISABLE", "1")

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from generate import (  # noqa: E402
    copy_examples,
    public_names,
    write_api_pages,
    write_guide_tables,
    write_results_pages,
    write_system_tables,
)

import sklearn_speech  # noqa: E402

with_links = os.environ.get("DOCS_INTERSPHINX") == "1"
with_examples = os.environ.get("DOCS_RUN_EXAMPLES") == "1"

copy_examples(ROOT / "examples", HERE / "_examples")
write_api_pages(HERE / "api")
write_results_pages(ROOT / "benchmarks" / "results", HERE / "results")
write_system_tables(ROOT / "benchmarks" / "results", HERE / "systems" / "tables")
write_guide_tables(ROOT / "benchmarks" / "results", HERE / "guide" / "tables")

project = "sklearn_speech"
author = "The sklearn_speech developers"
copyright = f"%Y, {author}"
version = release = sklearn_speech.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_examples", "guide/tables", "systems/tables", "generate"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
default_role = None

# The pages of all public names are written by generate/api.py.
autosummary_generate = False
autodoc_typehints = "none"
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

intersphinx_mapping = {}
if with_links:
    intersphinx_mapping = {
        "joblib": ("https://joblib.readthedocs.io/en/latest/", None),
        "matplotlib": ("https://matplotlib.org/stable/", None),
        "numpy": ("https://numpy.org/doc/stable/", None),
        "optuna": ("https://optuna.readthedocs.io/en/stable/", None),
        "pandas": ("https://pandas.pydata.org/docs/", None),
        "python": ("https://docs.python.org/3/", None),
        "scipy": ("https://docs.scipy.org/doc/scipy/", None),
        "sklearn": ("https://scikit-learn.org/stable/", None),
        "skorch": ("https://skorch.readthedocs.io/en/stable/", None),
        "torch": ("https://docs.pytorch.org/docs/stable/", None),
    }

nitpicky = True
nitpick_ignore_regex = [
    # Networks in plain torch are not part of the public interface and have no pages.
    (r"py:.*", r"sklearn_speech\.modules(\..*)?"),
]
if not with_links:
    # Names of other projects have no target unless their inventories are downloaded.
    others = ["joblib", "matplotlib", "numpy", "optuna", "pandas", "scipy", "sklearn", "skorch"]
    names = "|".join([*others, "torch", *sys.stdlib_module_names])
    nitpick_ignore_regex.append((r"py:.*", rf"({names})(\..*)?"))

sphinx_gallery_conf = {
    "examples_dirs": "_examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[\\/]plot_",
    "plot_gallery": with_examples,
    "abort_on_example_error": True,
    "backreferences_dir": "gallery/uses",
    "doc_module": ("sklearn_speech",),
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "reset_modules": ("matplotlib", "generate.prepare_example"),
    "min_reported_time": 0,
    "within_subsection_order": "FileNameSortKey",
}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_speech"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["site.css"]
if not with_examples:
    html_css_files.append("without_pictures.css")
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sklearn_speech"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "show_nav_level": 1,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}
#: Pages without others below them, which need no menu of a section.
single_pages = ["index", "installation", "five_minutes", "faq", "glossary", "alternatives"]
html_sidebars = {page: [] for page in [*single_pages, "changelog", "contributing", "citing"]}


def link_public_name(app, env, node, contnode):
    """Link a name that is given bare, or in another package that exports it, to its page."""
    if node.get("refdomain") != "py":
        return None
    asked = node["reftarget"].removeprefix("sklearn_speech.")
    homes = public_names()
    found = {homes[asked]} if asked in homes else set()
    if "." not in asked:
        found = {home for home in homes.values() if home.rpartition(".")[2] == asked}
    if len(found) != 1:
        return None
    domain = env.get_domain("py")
    target = f"sklearn_speech.{found.pop()}"
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)


def name_default_classes(app, what, name, obj, options, signature, returned):
    """Show the name of a class that is a default, without its module."""
    if signature:
        signature = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", signature)
    return signature, returned


def setup(app):
    """Connect what this site adds to Sphinx."""
    app.connect("autodoc-process-signature", name_default_classes)
    app.connect("missing-reference", link_public_name)
