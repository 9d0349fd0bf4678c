"""Batches of images, transformed at random and standardized."""

from __future__ import annotations

import numbers

import numpy as np

from ...backend.common import image_data_format
from ...graph import floatx
from ...utils.messages import warn_user
from .affine_transformations import apply_affine_transform, apply_brightness_shift, apply_channel_shift, flip_axis
from .dataframe_iterator import DataFrameIterator
from .directory_iterator import DirectoryIterator
from .numpy_array_iterator import NumpyArrayIterator
from .optional import require


class ImageDataGenerator:
    """Makes batches of images, transformed at random and standardized.

    Draws come from ``np.random`` in Keras 2's order: the same seed gives the same batches.

    Args:
        featurewise_center: whether to subtract the data's mean per channel; needs :meth:`fit`.
        samplewise_center: whether to subtract each image's mean.
        featurewise_std_normalization: whether to divide by the data's deviation; needs :meth:`fit`.
        samplewise_std_normalization: whether to divide by each image's deviation.
        zca_whitening: whether to whiten; needs :meth:`fit`.
        zca_epsilon: added to variances in whitening.
        rotation_range: largest rotation in degrees.
        width_shift_range, height_shift_range: largest shift, a share of the size if below 1 and pixels otherwise; an
            int ``n`` draws from ``0 .. n-1`` pixels either way, a list from its elements either way.
        brightness_range: pair of factors to draw the brightness from.
        shear_range: largest shear in degrees.
        zoom_range: pair of factors to draw from; a number ``z`` stands for ``(1 - z, 1 + z)``.
        channel_shift_range: largest number to add to all channels.
        fill_mode, cval: what lies outside the image, see :func:`apply_affine_transform`.
        horizontal_flip, vertical_flip: whether to flip every other image.
        rescale: factor for all values.
        preprocessing_function: called with each image after the transformation; returns one of the same shape.
        data_format: ``'channels_last'`` or ``'channels_first'``; None for the backend's.
        validation_split: share of the data that ``subset='validation'`` takes.
        interpolation_order: of the spline.
        dtype: of the batches; None for ``floatx()``.
    """

    def __init__(
        self,
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        zca_whitening=False,
        zca_epsilon=1e-06,
        rotation_range=0,
        width_shift_range=0.0,
        height_shift_range=0.0,
        brightness_range=None,
        shear_range=0.0,
        zoom_range=0.0,
        channel_shift_range=0.0,
        fill_mode="nearest",
        cval=0.0,
        horizontal_flip=False,
        vertical_flip=False,
        rescale=None,
        preprocessing_function=None,
        data_format="channels_last",
        validation_split=0.0,
        interpolation_order=1,
        dtype="float32",
    ):
        data_format = image_data_format() if data_format is None else data_format
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                '`data_format` should be `"channels_last"` (channel after row and column) or `"channels_first"` '
                f"(channel before row and column). Received: {data_format}"
            )
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"`validation_split` must be strictly between 0 and 1.  Received: {validation_split}")
        if brightness_range is not None and (
            not isinstance(brightness_range, (tuple, list)) or len(brightness_range) != 2
        ):
            raise ValueError(f"`brightness_range should be tuple or list of two floats. Received: {brightness_range}")
        if zca_whitening and featurewise_std_normalization:
            warn_user("`zca_whitening` overrides `featurewise_std_normalization`.")
            featurewise_std_normalization = False
        if (zca_whitening or featurewise_std_normalization) and not featurewise_center:
            cause = "zca_whitening" if zca_whitening else "featurewise_std_normalization"
            warn_user(f"`{cause}` overrides setting of `featurewise_center`.")
            featurewise_center = True
        if samplewise_std_normalization and not samplewise_center:
            warn_user("`samplewise_std_normalization` overrides setting of `samplewise_center`.")
            samplewise_center = True
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = brightness_range
        self.shear_range = shear_range
        self.zoom_range = _zoom_pair(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.data_format = data_format
        self._validation_split = validation_split
        self.interpolation_order = interpolation_order
        self.dtype = dtype or floatx()
        # Axes of a batch.
        self.channel_axis, self.row_axis, self.col_axis = (3, 1, 2) if data_format == "channels_last" else (1, 2, 3)
        self.mean = None
        self.std = None
        self.principal_components = None

    # -- iterators ------------------------------------------------------------------------------------
    def flow(
        self,
        x,
        y=None,
        batch_size=32,
        shuffle=True,
        sample_weight=None,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        ignore_class_split=False,
    ):
        """Batches from arrays: a :class:`NumpyArrayIterator`, which explains the arguments."""
        return NumpyArrayIterator(
            x, y, self, batch_size=batch_size, shuffle=shuffle, sample_weight=sample_weight, seed=seed,
            data_format=self.data_format, save_to_dir=save_to_dir, save_prefix=save_prefix, save_format=save_format,
            subset=subset, dtype=self.dtype, ignore_class_split=ignore_class_split,
        )  # fmt: skip

    def flow_from_directory(
        self,
        directory,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
    ):
        """Batches from a folder with a folder per class: a :class:`DirectoryIterator`, which explains the arguments."""
        return DirectoryIterator(
            directory, self, target_size=target_size, color_mode=color_mode, classes=classes, class_mode=class_mode,
            batch_size=batch_size, shuffle=shuffle, seed=seed, data_format=self.data_format, save_to_dir=save_to_dir,
            save_prefix=save_prefix, save_format=save_format, follow_links=follow_links, subset=subset,
            interpolation=interpolation, keep_aspect_ratio=keep_aspect_ratio, dtype=self.dtype,
        )  # fmt: skip

    def flow_from_dataframe(
        self,
        dataframe,
        directory=None,
        x_col="filename",
        y_col="class",
        weight_col=None,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        interpolation="nearest",
        validate_filenames=True,
        **kwargs,
    ):
        """Batches of pictures that a pandas table lists: a :class:`DataFrameIterator`, which explains the arguments.

        Of ``kwargs``, ``has_ext``, ``sort`` and ``drop_duplicates`` have no effect any more and warn.
        """
        for name in kwargs:
            warn_user(f"`{name}` has no effect in flow_from_dataframe.")
        if class_mode == "other":
            warn_user('`class_mode="other"` is deprecated, please use `class_mode="raw"`.')
            class_mode = "raw"
        return DataFrameIterator(
            dataframe, directory, self, x_col=x_col, y_col=y_col, weight_col=weight_col, target_size=target_size,
            color_mode=color_mode, classes=classes, class_mode=class_mode, batch_size=batch_size, shuffle=shuffle,
            seed=seed, data_format=self.data_format, save_to_dir=save_to_dir, save_prefix=save_prefix,
            save_format=save_format, subset=subset, interpolation=interpolation, dtype=self.dtype,
            validate_filenames=validate_filenames,
        )  # fmt: skip

    # -- one image ------------------------------------------------------------------------------------
    def get_random_transform(self, img_shape, seed=None):
        """Draw a transformation.

        Args:
            img_shape: shape of the image.
            seed: for ``np.random``.

        Returns:
            Dictionary for :meth:`apply_transform`.
        """
        if seed is not None:
            np.random.seed(seed)
        # The order of the draws is part of the contract.
        theta = np.random.uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = _draw_shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _draw_shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = np.random.uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        low, high = self.zoom_range
        zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
        flip_horizontal = (np.random.random() < 0.5) * self.horizontal_flip
        flip_vertical = (np.random.random() < 0.5) * self.vertical_flip
        channel_shift = brightness = None
        if self.channel_shift_range != 0:
            channel_shift = np.random.uniform(-self.channel_shift_range, self.channel_shift_range)
        if self.brightness_range is not None:
            brightness = np.random.uniform(*self.brightness_range)
        return {
            "theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy,
            "flip_horizontal": flip_horizontal, "flip_vertical": flip_vertical,
            "channel_shift_intensity": channel_shift, "brightness": brightness,
        }  # fmt: skip

    def apply_transform(self, x, transform_parameters):
        """Transform an image of rank 3.

        Args:
            x: the image.
            transform_parameters: a dictionary like that of :meth:`get_random_transform`; any key may be missing.
        """
        row, col, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        geometry = {
            k: transform_parameters[k] for k in ("theta", "tx", "ty", "shear", "zx", "zy") if k in transform_parameters
        }
        x = apply_affine_transform(
            x, row_axis=row, col_axis=col, channel_axis=channel, fill_mode=self.fill_mode, cval=self.cval,
            order=self.interpolation_order, **geometry,
        )  # fmt: skip
        if transform_parameters.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, transform_parameters["channel_shift_intensity"], channel)
        if transform_parameters.get("flip_horizontal", False):
            x = flip_axis(x, col)
        if transform_parameters.get("flip_vertical", False):
            x = flip_axis(x, row)
        if transform_parameters.get("brightness") is not None:
            shifted = apply_brightness_shift(np.moveaxis(x, channel, -1), transform_parameters["brightness"])
            x = np.moveaxis(shifted, -1, channel)
        return x

    def random_transform(self, x, seed=None):
        """Transform an image at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x):
        """Preprocess, rescale and normalize an image or a batch; float arrays are changed in place."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted(self.mean, "featurewise_center"):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted(self.std, "featurewise_std_normalization"):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted(self.principal_components, "zca_whitening"):
            flat = x.reshape(-1, np.prod(x.shape[-3:]))
            x = (flat @ self.principal_components).reshape(x.shape)
        return x

    @staticmethod
    def _fitted(statistic, option):
        if statistic is None:
            warn_user(
                f"This ImageDataGenerator specifies `{option}`, but it hasn't been fit on any training data. "
                "Fit it first by calling `.fit(numpy_data)`."
            )
        return statistic is not None

    # -- statistics -----------------------------------------------------------------------------------
    def fit(self, x, augment=False, rounds=1, seed=None):
        """Learn the statistics that ``featurewise_*`` and ``zca_whitening`` need, of images rescaled as later batches are.

        Args:
            x: images, of rank 4.
            augment: whether to learn from transformed images.
            rounds: how often to transform each.
            seed: for ``np.random``.

        Raises:
            ValueError: ``x`` is not of rank 4.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError(f"Input to `.fit()` should have rank 4. Got array with shape: {x.shape}")
        if x.shape[self.channel_axis] not in (1, 3, 4):
            warn_user(
                f'Expected input to be images following the data format convention "{self.data_format}", i.e. 1, 3 or '
                f"4 channels. However, it was passed an array with shape {x.shape}."
            )
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.array([self.random_transform(image) for _ in range(rounds) for image in x], dtype=self.dtype)
        per_channel = [1, 1, 1]
        per_channel[self.channel_axis - 1] = x.shape[self.channel_axis]
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes).reshape(per_channel)
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes).reshape(per_channel)
            x /= self.std + 1e-6
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            u, variances, _ = require("scipy.linalg").svd(flat.T @ flat / len(flat))
            self.principal_components = (u / np.sqrt(variances + self.zca_epsilon)) @ u.T


def _zoom_pair(zoom_range):
    if isinstance(zoom_range, numbers.Real):
        return [1 - zoom_range, 1 + zoom_range]
    if len(zoom_range) == 2 and all(isinstance(value, numbers.Real) for value in zoom_range):
        return [zoom_range[0], zoom_range[1]]
    raise ValueError(f"`zoom_range` should be a float or a tuple or list of two floats. Received: {zoom_range}")


def _draw_shift(shift_range, size):
    """A shift in pixels along an axis of this size; see the class for what a range may be."""
    if not np.any(shift_range):
        return 0
    if np.ndim(shift_range) or (isinstance(shift_range, numbers.Integral) and shift_range > 0):
        shift = np.random.choice(shift_range) * np.random.choice([-1, 1])
    else:
        shift = np.random.uniform(-shift_range, shift_range)
    return shift * size if np.max(shift_range) < 1 else shift
