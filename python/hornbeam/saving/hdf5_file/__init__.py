"""A reader of HDF5 files that strangers wrote: Python, no library beneath it, and bounds on everything.

libhdf5 trusts a file's structures: two flipped bytes make it loop for ever, and some have crashed it. This reads what
Keras, h5py and libhdf5 of any version write for a model (the HDF5 File Format Specification, versions 1 to 4), to the
same bits, in time and memory that are linear in the file's size; ``limits.py`` has the constants. Everything else is
refused with a ValueError. The objects have the part of h5py's interface that reading a model takes.

    storage.py       the file as bytes by position, and the fields of a structure
    superblock.py    where the root is          headers.py    object headers: the messages that describe an object
    messages.py, datatypes.py                   what the messages say
    btrees.py, heaps.py, fractal_heap.py        the structures that hold many of something
    links.py, attributes.py                     the names in a group, the attributes of an object
    chunk_index.py, filters.py, arrays.py       where the numbers of a dataset are, and how they are unpacked
    values.py        what bytes mean            open_file.py  what was parsed already
    group.py, dataset.py, objects.py            what the reader is used through
    survey.py        a look at all of a file before anything in it is believed
"""

from .attributes import Attributes, Empty
from .dataset import Dataset
from .group import File, Group
from .survey import problems
