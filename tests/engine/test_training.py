"""compile, fit, evaluate, predict: numbers by hand, names, seeds, callbacks' order, errors with their text."""

import threading
import warnings

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.callbacks import Callback
from hornbeam.layers import Activation, Dense, Dropout, Input, Masking
from hornbeam.models import Model, Sequential

from .models import data, mlp, two_in_two_out


def linear(weights=((2.0,), (-1.0,)), **compile_arguments):
    model = Sequential([Dense(1, use_bias=False, input_shape=(2,))])
    model.set_weights([np.array(weights)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile_arguments})
    return model


class TestNumbers:
    x = np.array([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.5]])
    y = np.array([1.0, 0.0, 2.0])

    def error(self, weights=((2.0,), (-1.0,))):
        return (self.x @ np.array(weights))[:, 0] - self.y

    def test_one_step_of_sgd(self):
        model = linear(optimizer=keras.optimizers.SGD(0.1))
        loss = model.train_on_batch(self.x, self.y)
        error = self.error()
        np.testing.assert_allclose(loss, np.mean(error**2), rtol=1e-6)
        expected = np.array([[2.0], [-1.0]]) - 0.1 * (2 * error @ self.x / 3)[:, None]
        np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)

    def test_sample_weights_divide_by_the_batch_size(self):
        weights = np.array([1.0, 0.0, 3.0])
        model = linear(metrics=["mse"], weighted_metrics=["mae"])
        loss, mse, mae = model.evaluate(self.x, self.y, sample_weight=weights, verbose=0)
        error = self.error()
        np.testing.assert_allclose(loss, np.sum(error**2 * weights) / 3, rtol=1e-6)
        np.testing.assert_allclose(mse, np.mean(error**2), rtol=1e-6)
        np.testing.assert_allclose(mae, np.sum(np.abs(error) * weights) / weights.sum(), rtol=1e-6)

    def test_class_weights_are_sample_weights(self):
        x, y = data(12)
        by_class = {0: 1.0, 1: 2.5, 2: 0.5}
        a, b = mlp(), mlp()
        b.set_weights(a.get_weights())
        losses = [
            a.train_on_batch(x, y, class_weight=by_class),
            b.train_on_batch(x, y, sample_weight=np.array([by_class[c] for c in y.argmax(1)])),
        ]
        assert losses[0] == losses[1]
        assert all(np.array_equal(*pair) for pair in zip(a.get_weights(), b.get_weights()))

    def test_loss_weights_regularizers_and_added_losses(self):
        a = Input((2,))
        first = Dense(1, use_bias=False, kernel_regularizer=keras.regularizers.l2(0.5), name="first")(a)
        second = Dense(1, use_bias=False, name="second")(a)
        model = Model(a, [first, second])
        model.add_loss(K.sum(K.abs(model.layers[1].kernel)))
        model.set_weights([np.array([[2.0], [-1.0]]), np.array([[1.0], [1.0]])])
        model.compile("sgd", "mse", loss_weights={"second": 0.25})
        total, one, two = model.evaluate(self.x, [self.y, self.y], verbose=0)
        np.testing.assert_allclose(one, np.mean(self.error() ** 2), rtol=1e-6)
        np.testing.assert_allclose(two, np.mean(self.error(((1.0,), (1.0,))) ** 2), rtol=1e-6)
        np.testing.assert_allclose(total, one + 0.25 * two + 0.5 * 5.0 + 3.0, rtol=1e-6)

    def test_a_mask_weighs_the_loss(self):
        x = np.ones((2, 3, 2))
        x[0, 1:] = 0.0
        model = Sequential([Masking(input_shape=(3, 2)), Dense(1, use_bias=False)])
        model.set_weights([np.array([[1.0], [1.0]])])
        model.compile("sgd", "mse", metrics=["mae"])
        loss, mae = model.evaluate(x, np.zeros((2, 3, 1)), verbose=0)
        np.testing.assert_allclose(loss, 4.0 * 4 / 6, rtol=1e-6)  # four steps count, six are divided by
        np.testing.assert_allclose(mae, 2.0, rtol=1e-6)

    def test_temporal_sample_weights(self):
        model = Sequential([Dense(1, use_bias=False, input_shape=(3, 2))])
        model.set_weights([np.array([[1.0], [1.0]])])
        model.compile("sgd", "mse", sample_weight_mode="temporal")
        weights = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
        loss = model.evaluate(np.ones((2, 3, 2)), np.zeros((2, 3, 1)), sample_weight=weights, verbose=0)
        np.testing.assert_allclose(loss, 4.0 * 3 / 6, rtol=1e-6)

    def test_evaluate_does_not_depend_on_batches(self):
        x, y = data(23)
        model = mlp(metrics=["accuracy"])
        whole, parts = (model.evaluate(x, y, batch_size=size, verbose=0) for size in (23, 5))
        np.testing.assert_allclose(whole, parts, rtol=1e-5)
        np.testing.assert_allclose(whole[1], np.mean(model.predict(x).argmax(1) == y.argmax(1)), rtol=1e-6)

    def test_predict_in_batches(self):
        x, _ = data(23)
        model = mlp()
        assert np.array_equal(model.predict(x), model.predict_on_batch(x))
        np.testing.assert_allclose(model.predict(x, batch_size=4), model.predict_on_batch(x), rtol=1e-5)
        assert model.predict(x[:0]).shape == (0, 3)

    def test_custom_loss_and_metric(self):
        def cube(y_true, y_pred):
            return K.mean(K.abs(y_true - y_pred) ** 3, axis=-1)

        def largest(y_true, y_pred):
            return K.max(K.abs(y_true - y_pred))

        loss, metric = linear(loss=cube, metrics=[largest]).evaluate(self.x, self.y, verbose=0)
        np.testing.assert_allclose(loss, np.mean(np.abs(self.error()) ** 3), rtol=1e-6)
        np.testing.assert_allclose(metric, np.abs(self.error()).max(), rtol=1e-6)


class TestNames:
    def test_single_output_keeps_what_the_user_wrote(self):
        assert mlp(metrics=["acc", "accuracy", "mse"]).metrics_names == ["loss", "acc", "accuracy", "mse"]

    def test_several_outputs(self):
        model = two_in_two_out()
        model.compile("sgd", "mse", metrics={"two": ["mae"]}, weighted_metrics=["mae"])
        assert model.metrics_names == ["loss", "one_loss", "two_loss", "one_mae", "two_mae", "two_mae_1"]

    def test_history_has_validation_names(self):
        x, y = data()
        history = mlp(metrics=["acc"]).fit(x, y, epochs=2, verbose=0, validation_split=0.25).history
        assert set(history) == {"loss", "acc", "val_loss", "val_acc"}
        assert all(len(values) == 2 for values in history.values())

    def test_outputs_without_a_loss_take_no_targets(self):
        x, y = data()
        model = two_in_two_out()
        with pytest.warns(UserWarning, match="Output one missing from loss dictionary"):
            model.compile("sgd", {"two": "mse"})
        assert model.metrics_names == ["loss", "two_loss"]
        assert len(model.evaluate([x, x], y[:, :2], verbose=0)) == 2

    def test_accuracy_is_chosen_by_loss_and_shape(self):
        x, y = data()
        model = Sequential([Dense(3, activation="softmax", input_shape=(4,))])
        results = []
        for loss, target in (("categorical_crossentropy", y), ("sparse_categorical_crossentropy", y.argmax(1))):
            model.compile("sgd", loss, metrics=["accuracy"])
            results.append(model.evaluate(x, target, verbose=0))
        np.testing.assert_allclose(*results, rtol=1e-6)


class TestFit:
    def test_the_same_seed_gives_the_same_bits(self):
        def run():
            keras.set_random_seed(7)
            model = Sequential([Dense(8, input_shape=(4,)), Dropout(0.5), Dense(3, activation="softmax")])
            model.compile("adam", "categorical_crossentropy")
            return model.fit(*data(), batch_size=6, epochs=3, verbose=0).history["loss"], model.get_weights()

        (first, weights), (second, again) = run(), run()
        assert first == second and all(np.array_equal(*pair) for pair in zip(weights, again))

    def test_shuffling_follows_numpy(self):
        x, y = data(10)
        model, expected = mlp(), mlp()
        expected.set_weights(model.get_weights())
        np.random.seed(3)
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
        np.random.seed(3)
        order = np.arange(10)
        for _ in range(2):
            np.random.shuffle(order)
            for rows in (order[:4], order[4:8], order[8:]):
                expected.train_on_batch(x[rows], y[rows])
        for got, want in zip(model.get_weights(), expected.get_weights()):
            np.testing.assert_array_equal(got, want)

    def test_validation_split_takes_the_end_and_trains_on_the_rest(self):
        x, y = data(10)
        a, b = mlp(), mlp()
        b.set_weights(a.get_weights())
        first = a.fit(x, y, validation_split=0.3, shuffle=False, verbose=0).history
        second = b.fit(x[:7], y[:7], validation_data=(x[7:], y[7:]), shuffle=False, verbose=0).history
        assert first == second
        assert first["val_loss"] == [b.evaluate(x[7:], y[7:], verbose=0)]

    def test_validation_freq_and_initial_epoch(self):
        x, y = data()
        history = mlp().fit(x, y, epochs=5, initial_epoch=1, validation_data=(x, y), validation_freq=2, verbose=0)
        assert history.epoch == [1, 2, 3, 4] and len(history.history["val_loss"]) == 2

    def test_batches_watched_or_not_give_the_same_history(self):
        x, y = data()
        a, b = mlp(metrics=["acc"]), mlp(metrics=["acc"])
        b.set_weights(a.get_weights())
        watcher = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: None)
        first = a.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0).history
        second = b.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0, callbacks=[watcher]).history
        assert first == second

    def test_order_of_callbacks_and_their_logs(self):
        events = []

        class Record(Callback):
            def on_train_begin(self, logs=None):
                events.append("train")

            def on_epoch_begin(self, epoch, logs=None):
                events.append(f"epoch {epoch}")

            def on_batch_begin(self, batch, logs=None):
                events.append(f"batch {batch} of {logs['size']}")

            def on_test_begin(self, logs=None):
                events.append("test")

            def on_batch_end(self, batch, logs=None):
                assert set(logs) == {"batch", "size", "loss"}

            def on_epoch_end(self, epoch, logs=None):
                events.append(sorted(logs))

            def on_train_end(self, logs=None):
                events.append("end")

        x, y = data(5)
        mlp().fit(x, y, batch_size=3, verbose=0, callbacks=[Record()], validation_data=(x, y))
        expected = ["train", "epoch 0", "batch 0 of 3", "batch 1 of 2", "test", ["loss", "val_loss"], "end"]
        assert events == expected

    def test_dicts_lists_and_data_kinds(self):
        x, y = data(8)
        model = two_in_two_out()
        model.compile("sgd", "mse")
        one, two = y[:, 0], y[:, :2]
        by_list = model.evaluate([x, x + 1], [one, two], verbose=0)
        by_name = model.evaluate({"right": x + 1, "left": x}, {"two": two, "one": one}, verbose=0)
        assert by_list == by_name
        assert mlp().predict(x.astype("float64").tolist()).shape == (8, 3)
        assert mlp().predict(np.asfortranarray(x.astype("float64"))).shape == (8, 3)

    def test_frozen_layers_stay(self):
        x, y = data()
        model = mlp()
        model.layers[0].trainable = False
        model.compile("sgd", "categorical_crossentropy")
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        same = [np.array_equal(*pair) for pair in zip(before, model.get_weights())]
        assert same == [True, True, False, False]

    def test_trainable_counts_as_of_compile(self):
        x, y = data()
        model = mlp()
        model.trainable = False
        with pytest.warns(UserWarning, match="did you set `model.trainable` without calling `model.compile`"):
            model.train_on_batch(x, y)
        assert model.trainable_weights == []

    def test_recompiling_makes_new_functions(self):
        x, y = data()
        model = mlp()
        model.train_on_batch(x, y)
        first = model.train_function
        model.compile("sgd", "mse")
        assert model.train_function is None and first is not None
        assert model.train_on_batch(x, y) > 0

    def test_one_metric_object_in_two_compilations(self):
        x, y = data()
        metric = keras.metrics.CategoricalAccuracy(name="right")
        model = mlp(metrics=[metric])
        model.compile("sgd", "categorical_crossentropy", metrics=[metric])
        accuracy = model.evaluate(x, y, verbose=0)[1]
        np.testing.assert_allclose(accuracy, np.mean(model.predict(x).argmax(1) == y.argmax(1)), rtol=1e-6)

    def test_predictions_from_several_threads(self):
        model, (x, _) = mlp(), data(64)
        expected, results = mlp(), []
        expected.set_weights(model.get_weights())
        threads = [threading.Thread(target=lambda: results.append(model.predict_on_batch(x))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        want = expected.predict_on_batch(x)
        assert len(results) == 8 and all(np.array_equal(want, got) for got in results)


class TestUsersModels:
    def test_subclassed_model(self):
        class Net(Model):
            def __init__(self):
                super().__init__(name="net")
                self.hidden = Dense(5, activation="relu")
                self.out = Dense(3, activation="softmax")

            def call(self, inputs):
                return self.out(self.hidden(inputs))

        x, y = data()
        model = Net()
        model.compile("sgd", "categorical_crossentropy", metrics=["acc"])
        history = model.fit(x, y, epochs=20, verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        assert len(model.trainable_weights) == 4 and model.predict(x).shape == (20, 3)
        with pytest.raises(NotImplementedError, match="subclass of Model"):
            model.get_config()

    def test_forgetting_super(self):
        class Net(Model):
            def __init__(self):
                self.hidden = Dense(5)

        with pytest.raises(RuntimeError, match="forgot to call `super"):
            Net()

    def test_sequential_is_built_by_its_data(self):
        x, y = data()
        model = Sequential([Dense(5), Dense(3, activation="softmax")])
        model.compile("sgd", "categorical_crossentropy")
        model.fit(x, y, verbose=0)
        assert model.layers[0].input_shape == (None, 4)

    def test_nested_models_share_weights(self):
        inner = Sequential([Dense(4, activation="tanh", input_shape=(4,))], name="inner")
        a, b = Input((4,)), Input((4,))
        model = Model([a, b], Dense(1)(keras.layers.add([inner(a), inner(b)])))
        assert len(model.trainable_weights) == 4
        x, _ = data()
        h = np.tanh(x @ inner.get_weights()[0] + inner.get_weights()[1])
        kernel, bias = model.get_weights()[2:]
        np.testing.assert_allclose(model.predict([x, x]), 2 * h @ kernel + bias, rtol=1e-4, atol=1e-5)

    def test_training_through_add_loss_alone(self):
        a = Input((4,))
        out = Dense(2)(a)
        model = Model(a, out)
        model.add_loss(K.mean(K.square(out)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.compile("sgd", None)
        x, _ = data()
        losses = model.fit(x, epochs=5, verbose=0).history["loss"]
        assert losses[-1] < losses[0]

    def test_add_metric(self):
        x, y = data()
        model = Sequential([Dense(3, input_shape=(4,)), Activation("softmax")])
        model.add_metric(K.max(model.outputs[0]), name="top")
        model.compile("sgd", "categorical_crossentropy")
        top = model.evaluate(x, y, verbose=0)[model.metrics_names.index("top")]
        np.testing.assert_allclose(top, model.predict(x).max(), rtol=1e-6)


class TestIdioms:
    """Scripts of the time did these things."""

    def test_gan(self):
        generator = Sequential([Dense(8, activation="relu", input_dim=4), Dense(2)])
        judge = Sequential([Dense(8, activation="relu", input_dim=2), Dense(1, activation="sigmoid")])
        judge.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        judge.trainable = False
        noise = Input((4,))
        gan = Model(noise, judge(generator(noise)))
        gan.compile("adam", "binary_crossentropy")
        assert gan.metrics_names == ["loss"]  # the judge's own compilation stays its own
        z = np.random.RandomState(0).rand(16, 4)
        before = judge.get_weights()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # trainable was changed after compile: that is the point
            judge.train_on_batch(generator.predict(z), np.zeros(16))
        trained, made = judge.get_weights(), generator.get_weights()
        assert not np.array_equal(before[0], trained[0])
        gan.train_on_batch(z, np.ones(16))
        assert all(np.array_equal(*pair) for pair in zip(trained, judge.get_weights()))
        assert not np.array_equal(made[0], generator.get_weights()[0])

    def test_the_functions_of_a_model_take_the_learning_phase_where_it_counts(self):
        model = Sequential([Dropout(0.5, input_shape=(40,)), Dense(1, use_bias=False)])
        model.compile("sgd", "mse")
        model._make_train_function()
        model._make_test_function()
        model._make_predict_function()
        x, y, weights = np.ones((2, 40)), np.zeros((2, 1)), np.ones(2)
        assert model._uses_dynamic_learning_phase()
        exact = model.predict_function([x])[0]
        assert np.array_equal(model.predict_function([x, 0])[0], exact)
        assert not np.array_equal(model.predict_function([x, 1.0])[0], exact)  # with dropout
        quiet = model.test_function([x, y, weights])
        assert model.test_function([x, y, weights, 0]) == quiet != model.test_function([x, y, weights, 1])
        assert model.train_function([x, y, weights, 0]) == quiet  # the loss before the step
        plain = Sequential([Dense(1, input_shape=(40,))])
        plain.compile("sgd", "mse")
        plain._make_predict_function()
        assert not plain._uses_dynamic_learning_phase()
        with pytest.raises(ValueError, match="expected 1 inputs, got 2"):
            plain.predict_function([x, 0])

    def test_gradient_penalty(self):
        model = Sequential([Dense(5, activation="tanh", input_shape=(3,)), Dense(1)])
        gradient = K.gradients(model.output, model.input)[0]
        model.add_loss(K.mean(K.square(K.sqrt(K.sum(K.square(gradient), axis=-1)) - 1)))
        model.compile("adam", "mse")
        x = np.random.RandomState(0).rand(16, 3)
        losses = model.fit(x, x[:, :1], epochs=40, verbose=0).history["loss"]
        assert losses[-1] < losses[0]

    def test_a_layer_inside_a_model(self):
        model, (x, _) = mlp(), data()
        hidden = Model(model.input, model.layers[0].output)
        kernel, bias = model.layers[0].get_weights()
        np.testing.assert_allclose(hidden.predict(x), np.tanh(x @ kernel + bias), rtol=1e-5, atol=1e-6)

    def test_stateful_predictions_go_on(self):
        model = Sequential([keras.layers.LSTM(3, stateful=True, batch_input_shape=(2, 1, 4))])
        x = np.random.RandomState(0).rand(2, 1, 4)
        first, second = model.predict(x), model.predict(x)
        model.reset_states()
        assert not np.allclose(first, second) and np.array_equal(first, model.predict(x))
        with pytest.raises(ValueError, match=r"can be divided by the batch size\. Found: 3 samples"):
            model.predict(np.ones((3, 1, 4)))


class TestErrors:
    x, y = data()

    def test_not_compiled(self):
        model = Sequential([Dense(3, input_shape=(4,))])
        for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
            with pytest.raises(RuntimeError, match="You must compile a model before training/testing"):
                call(self.x, self.y)

    @pytest.mark.parametrize(
        "x, y, message",
        [
            (np.ones((20, 5)), None, r"expected dense_\d+_input to have shape \(4,\) but got array with shape \(5,\)"),
            (np.ones((20, 2, 4)), None, r"to have 2 dimensions, but got array with shape \(20, 2, 4\)"),
            ([np.ones((20, 4))] * 2, None, r"Expected to see 1 array\(s\), but instead got the following list of 2"),
            (None, np.ones((20, 2)), r"expected dense_\d+ to have shape \(3,\) but got array with shape \(2,\)"),
            (None, np.ones((20, 1)), r"expected dense_\d+ to have shape \(3,\) but got array with shape \(1,\)"),
            (np.ones((19, 4)), None, "Found 19 input samples and 20 target samples"),
            (np.array([[1, 2], [3]], dtype=object), None, "dtype object"),
            ({"wrong": np.ones((20, 4))}, None, 'No data provided for "dense_\\d+_input"'),
            (np.ones((0, 4)), np.ones((0, 3)), "Cannot train on no data"),
        ],
    )
    def test_data(self, x, y, message):
        with pytest.raises(ValueError, match=message):
            mlp().fit(self.x if x is None else x, self.y if y is None else y, verbose=0)

    def test_predict_says_what_is_wrong_after_its_fast_path(self):
        model = mlp()
        model.predict_on_batch(self.x)
        with pytest.raises(ValueError, match=r"Error when checking input: expected dense_\d+_input to have shape"):
            model.predict_on_batch(np.ones((3, 7), dtype="float32"))

    def test_no_targets(self):
        with pytest.raises(ValueError, match='No data provided for "dense_'):
            mlp().fit(self.x, verbose=0)

    @pytest.mark.parametrize(
        "arguments, what",
        [({"optimizer": "sgdd"}, "sgdd"), ({"loss": "msee"}, "msee"), ({"metrics": ["accuracyy"]}, "accuracyy")],
        ids=str,
    )
    def test_unknown_names(self, arguments, what):
        with pytest.raises(ValueError, match=what):
            mlp(**arguments)

    def test_arguments(self):
        model = mlp()
        with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
            model.fit(self.x, self.y, colour=1)
        with pytest.raises(ValueError, match=r"it must contain 2 .* or 3"):
            model.fit(self.x, self.y, validation_data=(self.x,), verbose=0)
        with pytest.raises(ValueError, match="`batch_size` should be a positive integer"):
            model.fit(self.x, self.y, batch_size=0)
        with pytest.raises(ValueError, match="leaves nothing to train or to validate on"):
            model.fit(self.x, self.y, validation_split=0.99, verbose=0)
        with pytest.raises(ValueError, match="you should specify the `steps_per_epoch` argument"):
            model.fit()
        with pytest.raises(ValueError, match="sample_weight array with shape"):
            model.fit(self.x, self.y, sample_weight=np.ones((20, 3)), verbose=0)
        with pytest.raises(ValueError, match=r"The classes .2. exist in the data but not in `class_weight`"):
            model.fit(self.x, self.y, class_weight={0: 1.0, 1: 1.0}, verbose=0)
        with pytest.warns(UserWarning, match="renamed `epochs`"):
            assert len(model.fit(self.x, self.y, nb_epoch=2, verbose=0).epoch) == 2

    @pytest.mark.parametrize("arguments, message", [
        ({"loss": ["mse"]}, "one entry per model outputs"),
        ({"loss": {"three": "mse"}}, "three"),
        ({"loss": "mse", "loss_weights": [1.0]}, "one entry per model output"),
        ({"loss": "mse", "metrics": [["mae"]]}, "one entry per model output"),
        ({"loss": "mse", "sample_weight_mode": {"three": None}}, "Unknown entry in sample_weight_mode"),
    ])  # fmt: skip
    def test_compile_arguments(self, arguments, message):
        model = two_in_two_out()
        with pytest.raises(ValueError, match=message):
            model.compile("sgd", **arguments)
        assert not model._is_compiled

    def test_graph_construction(self):
        a, b = Input((4,)), Input((4,))
        with pytest.raises(ValueError, match="Graph disconnected: cannot obtain value for tensor"):
            Model(a, Dense(1)(b))
        with pytest.raises(ValueError, match="The list of inputs passed to the model is redundant"):
            Model([a, a], Dense(1)(a))
        with pytest.raises(ValueError, match="Output tensors to a Model must be the output of a Keras `Layer`"):
            Model(a, K.relu(K.constant([1.0])))
        with pytest.raises(ValueError, match='The name "same" is used 2 times in the model'):
            Model(a, Dense(1, name="same")(Dense(1, name="same")(a)))
        with pytest.raises(TypeError, match="The added layer must be an instance of class Layer"):
            Sequential().add("dense")
        with pytest.raises(TypeError, match="There are no layers in the model"):
            Sequential().pop()


def test_a_long_chain_of_layers():
    x = first = Input((1,))
    for _ in range(300):
        x = Activation("linear")(x)
    assert len(Model(first, x).layers) == 301


class TestKeras1Spellings:
    def test_generator_arguments(self):
        model, (x, y) = mlp(), data(8)

        def batches():
            while True:
                yield x[:4], y[:4]

        with pytest.warns(UserWarning, match=r"Update your `fit_generator` call to the Keras 2 API|is not the same"):
            history = model.fit_generator(batches(), samples_per_epoch=2, nb_epoch=3, verbose=0)
        assert len(history.epoch) == 3

    def test_model_and_weight_arguments(self):
        a = Input((4,))
        with pytest.warns(UserWarning, match="Update your `Model` call to the Keras 2 API"):
            model = Model(input=a, output=Dense(2)(a))
        weight = model.layers[1].add_weight((2, 3), initializer="ones", name="extra")
        assert weight.shape == (2, 3) and np.array_equal(weight.numpy(), np.ones((2, 3)))
