"""What reading TensorFlow's files may cost. All of it is linear in their sizes; docs/security.md gives the reasons."""

MAX_RANK = 32  # dims of a tensor
MAX_SHARDS = 10_000
MAX_NAME = 1 << 14  # bytes of a tensor's name in the index, of a name in an object graph

#: Bytes of all names in an index together: each may begin as the one before it, which costs the file three bytes.
NAMES_FREE = 1 << 20
NAMES_PER_BYTE = 16

MAX_NODES = 1 << 17  # of an object graph
MAX_STATE_FILE = 1 << 24  # bytes of the text file `checkpoint`
