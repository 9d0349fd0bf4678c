"""What reading one file may cost. All of it is linear in the file's size; docs/security.md gives the reasons."""

#: Bytes of structures (headers, trees, heaps, chunk indexes) parsed of one file: each counts as often as it is met, and
#: in a file that is not made to deceive, each is met once.
METADATA_FREE = 1 << 18
METADATA_PER_BYTE = 2

#: Bytes of text and numbers made of attributes. Strings that share one place count each time, with what a str takes beside.
ATTRIBUTES_FREE = 1 << 18
ATTRIBUTES_PER_BYTE = 4
STRING_OVERHEAD = 48

#: Bytes of all arrays of a file together, as they are in memory. Trained weights deflate by a tenth.
ARRAYS_FREE = 1 << 24
ARRAYS_PER_BYTE = 4

#: A chunk may be this large, or as large as its array: files with room to grow have chunks beyond their edges.
CHUNK_FREE = 1 << 22

#: How much longer than its contents a stored chunk may be: what deflate adds to random bytes, and a checksum.
CHUNK_SLACK = 1 << 10

MAX_OBJECTS = 1 << 17  # groups and datasets of a file
MAX_MESSAGES = 1 << 16  # of an object
MAX_CONTINUATIONS = 1 << 10  # blocks of an object's header
MAX_NAME = 1 << 12  # bytes of a link's or an attribute's name, and of a path
MAX_NESTING = 128  # groups within groups
MAX_TREE_DEPTH = 32  # levels of a B-tree
MAX_TYPE_NESTING = 8  # datatypes within datatypes
MAX_RANK = 32  # dims of an array; HDF5's own limit
