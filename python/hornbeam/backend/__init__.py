"""The Keras 2.3.1 backend ``K``, written on graph ops.

Functions take and return symbolic tensors; nothing is computed before :func:`function` is called or a tensor that
depends on no placeholder is read (``K.eval``).
"""

from builtins import all as py_all
from builtins import any as py_any
from builtins import slice as py_slice
from builtins import sum as py_sum

from ..graph import floatx, learning_phase, name_scope
from . import load_backend
from .common import _BACKEND as _BACKEND
from .common import (
    backend,
    cast_to_floatx,
    clear_session,
    eager,
    epsilon,
    get_uid,
    image_data_format,
    image_dim_ordering,
    manual_variable_initialization,
    normalize_data_format,
    reset_uids,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_image_dim_ordering,
    symbolic,
    v1_variable_initialization,
)
from .control import (
    control_dependencies,
    function,
    gradients,
    in_test_phase,
    in_train_phase,
    learning_phase_scope,
    print_tensor,
    set_learning_phase,
    stop_gradient,
    switch,
)
from .conv import (
    bias_add,
    conv1d,
    conv2d,
    conv2d_transpose,
    conv3d,
    conv3d_transpose,
    depthwise_conv2d,
    local_conv1d,
    local_conv2d,
    pool2d,
    pool3d,
    separable_conv1d,
    separable_conv2d,
)
from .creation import (
    arange,
    eye,
    identity,
    ones,
    ones_like,
    random_normal_variable,
    random_uniform_variable,
    zeros,
    zeros_like,
)
from .ctc import ctc_batch_cost, ctc_decode, ctc_label_dense_to_sparse
from .focal import binary_focal_crossentropy, categorical_focal_crossentropy
from .linalg import batch_dot, dot, gather, transpose
from .loops import foldl, foldr, map_fn
from .math import (
    abs,
    all,
    any,
    argmax,
    argmin,
    clip,
    cos,
    cumprod,
    cumsum,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    not_equal,
    pow,
    prod,
    round,
    sign,
    sin,
    sqrt,
    square,
    std,
    sum,
    var,
)
from .nn import (
    batch_normalization,
    binary_crossentropy,
    categorical_crossentropy,
    dropout,
    elu,
    hard_sigmoid,
    in_top_k,
    l2_normalize,
    normalize_batch_in_training,
    relu,
    sigmoid,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    tanh,
)
from .random import random_bernoulli, random_binomial, random_normal, random_uniform, truncated_normal
from .rnn import rnn
from .session import get_graph, get_session, set_session
from .shapes import (
    batch_flatten,
    concatenate,
    expand_dims,
    flatten,
    one_hot,
    permute_dimensions,
    repeat,
    repeat_elements,
    reshape,
    resize_images,
    resize_volumes,
    reverse,
    slice,
    spatial_2d_padding,
    spatial_3d_padding,
    squeeze,
    stack,
    temporal_padding,
    tile,
)
from .variables import (
    batch_get_value,
    batch_set_value,
    cast,
    constant,
    count_params,
    dtype,
    eval,
    get_value,
    get_variable_shape,
    int_shape,
    is_keras_tensor,
    is_placeholder,
    is_sparse,
    is_symbolic,
    is_tensor,
    is_variable,
    moving_average_update,
    ndim,
    placeholder,
    set_value,
    shape,
    size,
    to_dense,
    update,
    update_add,
    update_sub,
    variable,
)

from . import tensorflow_backend  # isort: skip  # it is this module's names, which have to be there
