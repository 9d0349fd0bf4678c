"""DLPack as another library reads it, without a library: NumPy's own reader refuses devices that it does not know."""

import ctypes


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_number", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Managed(ctypes.Structure):
    pass


Managed._fields_ = [
    ("tensor", Tensor),
    ("owner", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Managed))),
]

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_rename = ctypes.pythonapi.PyCapsule_SetName
_rename.argtypes = [ctypes.py_object, ctypes.c_char_p]

_USED = b"used_dltensor"  # a capsule keeps the pointer to its name


class Taken:
    """What a capsule passes on: an array whose memory is kept until ``release``."""

    def __init__(self, capsule):
        self._managed = Managed.from_address(_pointer(capsule, b"dltensor"))
        _rename(capsule, _USED)
        tensor = self._managed.tensor
        self.address = tensor.data + tensor.byte_offset
        self.device = tensor.device_type, tensor.device_number
        self.dtype = tensor.code, tensor.bits, tensor.lanes
        self.shape = tuple(tensor.shape[i] for i in range(tensor.rank))
        self.strides = tuple(tensor.strides[i] for i in range(tensor.rank))

    def release(self):
        self._managed.release(ctypes.pointer(self._managed))


class Foreign:
    """An array of another library, which has DLPack and a shape, and neither NumPy's protocol nor its dtypes."""

    def __init__(self, array, device=None):
        self._array = array
        self._device = device or array.__dlpack_device__()
        self.shape = array.shape
        self.ndim = len(array.shape)
        self.dtype = "foreign." + str(array.dtype)
        self.asked = []

    def __dlpack_device__(self):
        return self._device

    def __dlpack__(self, **options):
        self.asked.append(options)
        return self._array.__dlpack__(**options)
