"""The backend's functions in NumPy: one obvious function each, called as K's are, in whatever precision its arrays have.

Tests give it float64. Images and volumes are laid out with the channels last; :func:`in_format` wraps what takes a
``data_format``.
"""

import builtins
import functools
import itertools

import numpy as np

EPSILON = 1e-7


# -- elementwise ------------------------------------------------------------------------------------------
abs, square, exp, log, sign, sin, cos = np.abs, np.square, np.exp, np.log, np.sign, np.sin, np.cos
round, pow, tanh, maximum, minimum = np.round, np.power, np.tanh, np.maximum, np.minimum
equal, not_equal, greater, greater_equal = np.equal, np.not_equal, np.greater, np.greater_equal
less, less_equal = np.less, np.less_equal


def sqrt(x):
    return np.sqrt(np.maximum(x, 0))


def clip(x, min_value, max_value):
    low = -np.inf if min_value is None else min_value
    high = np.inf if max_value is None else np.maximum(max_value, low)
    return np.minimum(np.maximum(x, low), high)


def cast(x, dtype):
    return x.astype(dtype)


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    above = np.where(x > threshold, x, 0)
    if max_value is not None:
        above = np.clip(above, 0, max_value)
    return above - alpha * np.maximum(threshold - x, 0)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def softplus(x):
    return np.logaddexp(x, 0)


def softsign(x):
    return x / (1 + np.abs(x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


# -- reductions -------------------------------------------------------------------------------------------
def _reduction(function):
    def reduce(x, axis=None, keepdims=False):
        return function(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    return reduce


max, min, sum, prod = (_reduction(f) for f in (np.max, np.min, np.sum, np.prod))
mean, var, std = (_reduction(f) for f in (np.mean, np.var, np.std))
any, all = _reduction(np.any), _reduction(np.all)
logsumexp = _reduction(lambda x, **which: np.log(np.sum(np.exp(x), **which)))


def argmax(x, axis=-1):
    return np.argmax(x, axis)


def argmin(x, axis=-1):
    return np.argmin(x, axis)


def cumsum(x, axis=0):
    return np.cumsum(x, axis)


def cumprod(x, axis=0):
    return np.cumprod(x, axis)


def l2_normalize(x, axis=None):
    return x / np.sqrt(np.maximum(np.sum(np.square(x), axis=axis, keepdims=True), 1e-12))


# -- products ---------------------------------------------------------------------------------------------
dot, transpose = np.dot, np.transpose


def batch_dot(x, y, axes=None):
    a, b = axes if isinstance(axes, (list, tuple)) else (axes, axes)
    a = -1 if a is None else a
    b = (-1 if y.ndim == 2 else -2) if b is None else b
    out = np.stack([np.tensordot(u, v, (_inner(a, x), _inner(b, y))) for u, v in zip(x, y)])
    return out[:, None] if out.ndim == 1 else out


def _inner(axis, x):
    """An axis of a batch as an axis of a sample."""
    return axis % x.ndim - 1


def gather(reference, indices):
    return reference[indices]


# -- shapes -----------------------------------------------------------------------------------------------
reshape, permute_dimensions, squeeze = np.reshape, np.transpose, np.squeeze
concatenate, stack = functools.partial(np.concatenate, axis=-1), np.stack
zeros_like, ones_like, zeros, ones, eye = np.zeros_like, np.ones_like, np.zeros, np.ones, np.eye


def tile(x, n):
    return np.tile(x, n)


def identity(x):
    return x


def shape(x):
    return np.array(x.shape)


def size(x):
    return np.size(x)


def flatten(x):
    return x.reshape(-1)


def batch_flatten(x):
    return x.reshape(len(x), -1)


def expand_dims(x, axis=-1):
    return np.expand_dims(x, axis)


def repeat_elements(x, rep, axis):
    return np.repeat(x, rep, axis)


def repeat(x, n):
    return np.stack([x] * n, axis=1)


def arange(start, stop=None, step=1, dtype="int32"):
    return np.arange(0, start, step, dtype) if stop is None else np.arange(start, stop, step, dtype)


def one_hot(indices, num_classes):
    return (indices[..., None] == np.arange(num_classes)).astype("float32")


def reverse(x, axes):
    return np.flip(x, axes)


def slice(x, start, size):
    return x[tuple(np.s_[b : None if n == -1 else b + n] for b, n in zip(start, size))]


def _padded(x, pads):
    return np.pad(x, [(0, 0), *pads, (0, 0)])


def temporal_padding(x, padding=(1, 1)):
    return _padded(x, [padding])


# -- images and volumes -----------------------------------------------------------------------------------
def in_format(function):
    """Let a function of channels-last tensors take a ``data_format``."""

    @functools.wraps(function)
    def wrapper(x, *args, data_format=None, **kwargs):
        if data_format != "channels_first":
            return function(x, *args, **kwargs)
        return np.moveaxis(function(np.moveaxis(x, 1, -1), *args, **kwargs), -1, 1)

    return wrapper


@in_format
def spatial_2d_padding(x, padding=((1, 1), (1, 1))):
    return _padded(x, padding)


@in_format
def spatial_3d_padding(x, padding=((1, 1), (1, 1), (1, 1))):
    return _padded(x, padding)


@in_format
def resize_images(x, height_factor, width_factor, interpolation="nearest"):
    for axis, factor in ((1, height_factor), (2, width_factor)):
        if interpolation == "nearest":
            x = np.repeat(x, factor, axis)
        else:
            n = x.shape[axis]
            places = np.arange(n * factor) / factor
            x = np.apply_along_axis(lambda line, p=places, n=n: np.interp(p, np.arange(n), line), axis, x)
    return x


@in_format
def resize_volumes(x, depth_factor, height_factor, width_factor):
    for axis, factor in ((1, depth_factor), (2, height_factor), (3, width_factor)):
        x = np.repeat(x, factor, axis)
    return x


def windows(x, size, strides, dilation=None, padding="valid", fill=0.0):
    """What each place sees, (batch, *places, *size, channels); 'same' pads with ``fill``, the odd cell behind."""
    dilation = dilation or (1,) * len(size)
    reach = [(s - 1) * d + 1 for s, d in zip(size, dilation)]
    if padding == "same":
        missing = [builtins.max((-(-n // st) - 1) * st + r - n, 0) for n, st, r in zip(x.shape[1:], strides, reach)]
        x = np.pad(x, [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)], constant_values=fill)
    out = [(n - r) // st + 1 for n, st, r in zip(x.shape[1:], strides, reach)]
    result = np.zeros((len(x), *out, *size, x.shape[-1]))
    for place in np.ndindex(*out):
        cells = [np.s_[p * st : p * st + r : d] for p, st, r, d in zip(place, strides, reach, dilation)]
        result[(np.s_[:], *place)] = x[(np.s_[:], *cells)]
    return result


def _convolve(x, kernel, strides, padding, dilation):
    n = kernel.ndim - 2
    seen = windows(x, kernel.shape[:n], strides, dilation, padding)
    return np.tensordot(seen, kernel, n + 1)


@in_format
def conv1d(x, kernel, strides=1, padding="valid", dilation_rate=1):
    if padding == "causal":
        x, padding = _padded(x, [((len(kernel) - 1) * dilation_rate, 0)]), "valid"
    return _convolve(x, kernel, (strides,), padding, (dilation_rate,))


@in_format
def conv2d(x, kernel, strides=(1, 1), padding="valid", dilation_rate=(1, 1)):
    return _convolve(x, kernel, strides, padding, dilation_rate)


@in_format
def conv3d(x, kernel, strides=(1, 1, 1), padding="valid", dilation_rate=(1, 1, 1)):
    return _convolve(x, kernel, strides, padding, dilation_rate)


def _transposed(x, kernel, output_shape, strides, padding, dilation=None):
    """Each cell of x adds its multiple of the kernel where a convolution would have read it."""
    n = kernel.ndim - 2
    dilation = dilation or (1,) * n
    reach = [(s - 1) * d + 1 for s, d in zip(kernel.shape, dilation)]
    before = [0] * n
    if padding == "same":
        lengths = zip(x.shape[1:-1], strides, reach, output_shape[1:-1])
        before = [builtins.max((m - 1) * st + r - out, 0) // 2 for m, st, r, out in lengths]
    # Room for all that is added, and for what nothing is added to.
    room = [builtins.max((m - 1) * st + r, out + b) for m, st, r, out, b in
            zip(x.shape[1:-1], strides, reach, output_shape[1:-1], before)]  # fmt: skip
    y = np.zeros((len(x), *room, kernel.shape[-2]))
    for place in np.ndindex(*x.shape[1:-1]):
        cells = tuple(np.s_[p * st : p * st + r : d] for p, st, r, d in zip(place, strides, reach, dilation))
        y[(np.s_[:], *cells)] += np.tensordot(x[(np.s_[:], *place)], kernel, (-1, -1))
    return y[(np.s_[:], *(np.s_[b : b + out] for b, out in zip(before, output_shape[1:-1])))]


def _last(output_shape, data_format):
    return (output_shape[0], *output_shape[2:], output_shape[1]) if data_format == "channels_first" else output_shape


def conv2d_transpose(x, kernel, output_shape, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    run = in_format(lambda t: _transposed(t, kernel, _last(output_shape, data_format), strides, padding, dilation_rate))
    return run(x, data_format=data_format)


def conv3d_transpose(x, kernel, output_shape, strides=(1, 1, 1), padding="valid", data_format=None):
    run = in_format(lambda t: _transposed(t, kernel, _last(output_shape, data_format), strides, padding))
    return run(x, data_format=data_format)


@in_format
def depthwise_conv2d(x, depthwise_kernel, strides=(1, 1), padding="valid", dilation_rate=(1, 1)):
    seen = windows(x, depthwise_kernel.shape[:2], strides, dilation_rate, padding)
    y = np.einsum("bijhwc,hwcm->bijcm", seen, depthwise_kernel)
    return y.reshape(*y.shape[:3], -1)


@in_format
def separable_conv2d(x, depthwise_kernel, pointwise_kernel, strides=(1, 1), padding="valid", dilation_rate=(1, 1)):
    return depthwise_conv2d(x, depthwise_kernel, strides, padding, dilation_rate) @ pointwise_kernel[0, 0]


@in_format
def separable_conv1d(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", dilation_rate=1):
    if padding == "causal":
        x, padding = _padded(x, [((len(depthwise_kernel) - 1) * dilation_rate, 0)]), "valid"
    kernels = depthwise_kernel[None], pointwise_kernel[None]
    return separable_conv2d(x[:, None], *kernels, (1, strides), padding, (1, dilation_rate))[:, 0]


def _pool(x, pool_size, strides, padding, pool_mode):
    seen = windows(x, pool_size, strides, None, padding, np.nan)
    reduce = np.nanmax if pool_mode == "max" else np.nanmean
    n = len(pool_size)
    return reduce(seen, axis=tuple(range(n + 1, 2 * n + 1)))


@in_format
def pool2d(x, pool_size, strides=(1, 1), padding="valid", pool_mode="max"):
    return _pool(x, pool_size, strides, padding, pool_mode)


@in_format
def pool3d(x, pool_size, strides=(1, 1, 1), padding="valid", pool_mode="max"):
    return _pool(x, pool_size, strides, padding, pool_mode)


@in_format
def local_conv1d(inputs, kernel, kernel_size, strides):
    seen = windows(inputs, kernel_size, strides)
    return np.einsum("bpk,pkf->bpf", seen.reshape(*seen.shape[:2], -1), kernel)


def local_conv2d(inputs, kernel, kernel_size, strides, output_shape, data_format=None):
    first = data_format == "channels_first"
    seen = windows(np.moveaxis(inputs, 1, -1) if first else inputs, kernel_size, strides)
    if first:  # the kernel has the channels first, too
        seen = np.moveaxis(seen, -1, -3)
    y = np.einsum("bpk,pkf->bpf", seen.reshape(len(seen), len(kernel), -1), kernel)
    y = y.reshape(len(y), *output_shape, -1)
    return np.moveaxis(y, -1, 1) if first else y


def bias_add(x, bias, data_format=None):
    if data_format == "channels_first":
        channels_first = (bias.shape[-1], *bias.shape[:-1])
        return x + bias.reshape(channels_first + (1,) * (x.ndim - 1 - bias.ndim))
    return x + bias


# -- networks ---------------------------------------------------------------------------------------------
def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis, keepdims=True))
    return e / np.sum(e, axis, keepdims=True)


def normalize_batch_in_training(x, gamma, beta, reduction_axes, epsilon=1e-3):
    axes = tuple(reduction_axes)
    mean, variance = np.mean(x, axes, keepdims=True), np.var(x, axes, keepdims=True)
    gamma, beta = (p if p is None else np.reshape(p, mean.shape) for p in (gamma, beta))
    y = batch_normalization(x, mean, variance, beta, gamma, epsilon=epsilon)
    return y, np.squeeze(mean, axes), np.squeeze(variance, axes)


def batch_normalization(x, mean, var, beta, gamma, axis=-1, epsilon=1e-3):
    along = [1] * x.ndim
    along[axis] = -1
    mean, var, beta, gamma = (p.reshape(along) if getattr(p, "ndim", 0) == 1 else p for p in (mean, var, beta, gamma))
    y = (x - mean) / np.sqrt(var + epsilon)
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


def _clipped(output):
    return np.clip(output, EPSILON, 1 - EPSILON)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    output = softmax(output, axis) if from_logits else output / np.sum(output, axis, keepdims=True)
    return -np.sum(target * np.log(_clipped(output)), axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1, ignore_class=None):
    if ignore_class is not None:
        loss = sparse_categorical_crossentropy(np.where(target == ignore_class, 0, target), output, from_logits, axis)
        return np.where(target == ignore_class, 0.0, loss)
    output = np.moveaxis(output, axis, -1)
    output = softmax(output if from_logits else np.log(_clipped(output)))
    picked = np.take_along_axis(output, target.reshape(*output.shape[:-1], 1), -1)
    return -np.log(picked[..., 0])


def binary_crossentropy(target, output, from_logits=False):
    if from_logits:
        return np.logaddexp(output, 0) - target * output
    output = _clipped(output)  # and 2.3.1 adds epsilon once more
    return -(target * np.log(output + EPSILON) + (1 - target) * np.log(1 - output + EPSILON))


def binary_focal_crossentropy(target, output, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False):
    p = 1 / (1 + np.exp(-output)) if from_logits else output
    right = target * p + (1 - target) * (1 - p)
    loss = (1 - right) ** gamma * binary_crossentropy(target, output, from_logits)
    return loss * (target * alpha + (1 - target) * (1 - alpha)) if apply_class_balancing else loss


def categorical_focal_crossentropy(target, output, alpha=0.25, gamma=2.0, from_logits=False, axis=-1):
    p = softmax(output, axis) if from_logits else output / np.sum(output, axis, keepdims=True)
    p = _clipped(p)
    return -np.sum(np.asarray(alpha) * (1 - p) ** gamma * target * np.log(p), axis)


def in_top_k(predictions, targets, k):
    score = predictions[np.arange(len(targets)), targets][:, None]
    return np.sum(predictions > score, axis=1) < k


def switch(condition, then_expression, else_expression):
    condition = np.asarray(condition, bool)
    more_axes = np.ndim(then_expression) - condition.ndim
    return np.where(condition.reshape(condition.shape + (1,) * more_axes), then_expression, else_expression)


def ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """Sums over every way to emit one symbol per step: nothing to be clever about, and only for tiny cases."""
    y_pred = softmax(np.log(y_pred + EPSILON))
    steps, labels = (lengths.ravel() for lengths in (input_length, label_length))
    samples = zip(y_true, y_pred, steps, labels)
    return -np.log([[_probability(tuple(row[:n]), p[:t])] for row, p, t, n in samples])


def _probability(labels, p):
    classes = p.shape[1]
    ways = itertools.product(range(classes), repeat=len(p))
    return np.sum([np.prod(p[range(len(p)), way]) for way in ways if collapse(way, classes - 1) == labels])


def collapse(way, blank):
    """What a path of symbols spells: repetitions count once, blanks not at all."""
    return tuple(symbol for symbol, _ in itertools.groupby(way) if symbol != blank)


# -- functions of functions ---------------------------------------------------------------------------------
def map_fn(fn, elems, name=None, dtype=None):
    return np.stack([fn(x) for x in elems])


def foldl(fn, elems, initializer=None):
    return functools.reduce(fn, elems if initializer is None else [initializer, *elems])


def foldr(fn, elems, initializer=None):
    return foldl(fn, elems[::-1], initializer)


def rnn(
    step_function, inputs, initial_states, go_backwards=False, constants=(), unroll=False, time_major=False,
    return_all_outputs=True,
):  # fmt: skip
    if time_major:
        last, outputs, states = rnn(step_function, np.moveaxis(inputs, 0, 1), initial_states, go_backwards, constants)
        return last, np.moveaxis(outputs, 0, 1), states
    states, outputs = list(initial_states), []
    for x in np.moveaxis(inputs[:, ::-1] if go_backwards else inputs, 1, 0):
        output, states = step_function(x, list(states) + list(constants))
        outputs.append(output)
    return outputs[-1], np.stack(outputs if return_all_outputs else outputs[-1:], axis=1), states


def in_train_phase(x, alt, training=None):
    return x if training else alt


def in_test_phase(x, alt, training=None):
    return alt if training else x


def stop_gradient(variables):
    return variables
