"""Write the pages of the site that come from the package and from results of benchmarks."""

from .api import public_names, write_api_pages
from .gallery import copy_examples, prepare_example
from .guide import write_guide_tables
from .results import write_results_pages
from .systems import write_system_tables

__all__ = [
    "copy_examples",
    "prepare_example",
    "public_names",
    "write_api_pages",
    "write_guide_tables",
    "write_results_pages",
    "write_system_tables",
]
