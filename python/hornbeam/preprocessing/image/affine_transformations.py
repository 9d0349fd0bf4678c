"""Distorting images: geometry by affine maps, channels, brightness.

Functions named ``random_*`` draw from ``np.random``, in Keras 2's order.
"""

from __future__ import annotations

import numpy as np

from .optional import require
from .utils import array_to_img, img_to_array


def flip_axis(x, axis):
    """Reverse an axis."""
    return np.flip(x, axis)


def random_rotation(
    x, rg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Rotate an image by an angle between ``-rg`` and ``rg`` degrees; see :func:`apply_affine_transform`."""
    theta = np.random.uniform(-rg, rg)
    return apply_affine_transform(
        x, theta=theta, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shift(
    x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Shift an image by up to ``wrg`` of its width and ``hrg`` of its height; see :func:`apply_affine_transform`."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(
        x, tx=tx, ty=ty, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shear(
    x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Shear an image by an angle up to ``intensity`` degrees; see :func:`apply_affine_transform`."""
    shear = np.random.uniform(-intensity, intensity)
    return apply_affine_transform(
        x, shear=shear, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_zoom(
    x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):
    """Zoom height and width by two factors drawn from ``zoom_range``; see :func:`apply_affine_transform`."""
    if len(zoom_range) != 2:
        raise ValueError(f"`zoom_range` should be a tuple or list of two floats. Received: {zoom_range}")
    low, high = zoom_range
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    return apply_affine_transform(
        x, zx=zx, zy=zy, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def apply_channel_shift(x, intensity, channel_axis=0):
    """Add a number to all channels, staying within the image's range."""
    return np.clip(x + intensity, np.min(x), np.max(x))


def random_channel_shift(x, intensity_range, channel_axis=0):
    """Add a number between ``-intensity_range`` and ``intensity_range``; see :func:`apply_channel_shift`."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x, brightness, scale=True):
    """Change the brightness of an image of shape ``(height, width, channels)`` with Pillow.

    The image is stretched to 0 to 255 first, as :func:`array_to_img` does.

    Args:
        x: the image.
        brightness: factor: 0 is black, 1 leaves the brightness.
        scale: False for images that lie within 0 to 255 as they are; others are stretched, and put back afterwards.
    """
    low, high = np.min(x), np.max(x)
    outside = low < 0 or high > 255
    image = array_to_img(x, data_format="channels_last", scale=bool(scale or outside), dtype="float32")
    image = require("PIL.ImageEnhance").Brightness(image).enhance(brightness)
    changed = img_to_array(image, data_format="channels_last", dtype="float32")
    return changed if scale or not outside else changed / 255 * (high - low) + low


def random_brightness(x, brightness_range, scale=True):
    """Change the brightness by a factor drawn from ``brightness_range``; see :func:`apply_brightness_shift`."""
    if len(brightness_range) != 2:
        raise ValueError(f"`brightness_range` should be tuple or list of two floats. Received: {brightness_range}")
    return apply_brightness_shift(x, np.random.uniform(brightness_range[0], brightness_range[1]), scale)


def transform_matrix_offset_center(matrix, x, y):
    """The 3 by 3 matrix of an affine map, to act about the point ``(x/2 + 0.5, y/2 + 0.5)`` instead of the origin."""
    center_x, center_y = x / 2 + 0.5, y / 2 + 0.5
    to_center = np.array([[1, 0, center_x], [0, 1, center_y], [0, 0, 1]])
    from_center = np.array([[1, 0, -center_x], [0, 1, -center_y], [0, 0, 1]])
    return to_center @ matrix @ from_center


def apply_affine_transform(
    x,
    theta=0,
    tx=0,
    ty=0,
    shear=0,
    zx=1,
    zy=1,
    row_axis=0,
    col_axis=1,
    channel_axis=2,
    fill_mode="nearest",
    cval=0.0,
    order=1,
):
    """Rotate, shift, shear and zoom an image about its middle.

    The map goes from a place in the result to the place in ``x`` that its value comes from.

    Args:
        x: image of rank 3.
        theta: rotation in degrees.
        tx, ty: shift in rows and columns.
        shear: angle in degrees.
        zx, zy: zoom of rows and columns; above 1 more is seen.
        row_axis, col_axis, channel_axis: where these axes are.
        fill_mode: what lies outside: ``'constant'`` (``cval``), ``'nearest'``, ``'reflect'`` or ``'wrap'``.
        cval: value outside.
        order: of the spline that interpolates.

    Raises:
        ImportError: SciPy is not installed.
    """
    ndimage = require("scipy.ndimage")
    steps = []
    if theta != 0:
        angle = np.deg2rad(theta)
        steps.append([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    if tx != 0 or ty != 0:
        steps.append([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear != 0:
        angle = np.deg2rad(shear)
        steps.append([[1, -np.sin(angle), 0], [0, np.cos(angle), 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        steps.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    if not steps:
        return x

    matrix = np.array(steps[0])
    for step in steps[1:]:
        matrix = matrix @ np.array(step)
    matrix = transform_matrix_offset_center(matrix, x.shape[row_axis], x.shape[col_axis])
    channels = [
        ndimage.affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=order, mode=fill_mode, cval=cval)
        for channel in np.moveaxis(x, channel_axis, 0)
    ]
    return np.stack(channels, axis=channel_axis)
