"""Callbacks: what each does, with logs made by hand or in a small training."""

import csv
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import callbacks as cbks
from hornbeam.layers import Dense, Lambda
from hornbeam.models import Sequential, load_model

X, Y = np.random.RandomState(0).rand(20, 3), np.random.RandomState(1).rand(20, 1)


@pytest.fixture
def model():
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def run(callback, model, logs, begin=True):
    """Show a callback the ends of epochs with these logs; return the number it let pass."""
    callback.set_model(model)
    callback.set_params({"metrics": list(logs[0]), "epochs": len(logs), "verbose": 0})
    model.stop_training = False
    if begin:
        callback.on_train_begin()
    for epoch, of_epoch in enumerate(logs):
        callback.on_epoch_end(epoch, of_epoch)
        if model.stop_training:
            return epoch + 1
    return len(logs)


class TestEarlyStopping:
    @pytest.mark.parametrize(
        "arguments, losses, epochs",
        [
            ({"patience": 0}, [3, 2, 2, 1], 3),
            ({"patience": 2}, [3, 2, 2, 1, 1, 1, 0], 6),
            ({"patience": 1, "min_delta": 0.5}, [3, 2.8, 2.7, 1], 2),
            ({"patience": 1, "baseline": 1.0}, [3, 0.5, 2], 1),
            ({"patience": 1, "start_from_epoch": 2}, [1, 5, 4, 3, 3, 3], 5),
            ({"patience": 1, "mode": "max"}, [1, 2, 3, 2, 9], 4),
        ],
    )
    def test_when_it_stops(self, model, arguments, losses, epochs):
        stopping = cbks.EarlyStopping(**arguments)
        assert run(stopping, model, [{"val_loss": v} for v in losses]) == epochs

    def test_accuracy_is_maximised(self, model):
        assert run(cbks.EarlyStopping("val_acc"), model, [{"val_acc": v} for v in (0.1, 0.2, 0.1)]) == 3

    def test_best_weights_come_back(self, model):
        stopping = cbks.EarlyStopping(patience=1, restore_best_weights=True)
        stopping.set_model(model)
        stopping.on_train_begin()
        for epoch, loss in enumerate([3.0, 1.0, 2.0]):
            model.set_weights([np.full((3, 1), loss), np.zeros(1)])
            stopping.on_epoch_end(epoch, {"val_loss": loss})
        assert model.stop_training and model.get_weights()[0][0, 0] == 1.0

    def test_a_metric_that_is_not_there(self, model):
        with pytest.warns(
            RuntimeWarning, match="metric `val_loss` which is not available. Available metrics are: loss"
        ):
            run(cbks.EarlyStopping(), model, [{"loss": 1.0}])


class TestModelCheckpoint:
    def test_every_epoch_and_period(self, model, tmp_path):
        saving = cbks.ModelCheckpoint(str(tmp_path / "{epoch:02d}-{loss:.1f}.h5"), period=2)
        run(saving, model, [{"loss": v} for v in (3.0, 2.0, 1.0, 0.5)])
        assert sorted(p.name for p in tmp_path.iterdir()) == ["02-2.0.h5", "04-0.5.h5"]
        assert np.array_equal(load_model(tmp_path / "04-0.5.h5").predict(X), model.predict(X))

    def test_best_only(self, model, tmp_path, capsys):
        saving = cbks.ModelCheckpoint(
            str(tmp_path / "{epoch}.h5"), save_best_only=True, save_weights_only=True, verbose=1
        )
        run(saving, model, [{"val_loss": v} for v in (3.0, 4.0, 1.0)])
        assert sorted(p.name for p in tmp_path.iterdir()) == ["1.h5", "3.h5"]
        assert "val_loss improved from 3.00000 to 1.00000, saving model to" in capsys.readouterr().out
        with pytest.warns(RuntimeWarning, match="Can save best model only with val_loss available"):
            run(saving, model, [{"loss": 1.0}])

    def test_unknown_mode(self, tmp_path):
        with pytest.warns(RuntimeWarning, match="mode best is unknown, fallback to auto mode"):
            cbks.ModelCheckpoint(str(tmp_path), mode="best")


class TestLearningRate:
    def test_plateau(self, model):
        reduce = cbks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.03)
        rates = []
        reduce.set_model(model)
        reduce.on_train_begin()
        for epoch, loss in enumerate([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]):
            logs = {"val_loss": loss}
            reduce.on_epoch_end(epoch, logs)
            rates.append(round(float(K.get_value(model.optimizer.lr)), 4))
            assert "lr" in logs
        assert rates == [0.1, 0.1, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03]

    def test_arguments(self):
        with pytest.raises(ValueError, match=r"does not support a factor >= 1\.0"):
            cbks.ReduceLROnPlateau(factor=1.0)
        with pytest.warns(UserWarning, match="use `min_delta` instead"):
            assert cbks.ReduceLROnPlateau(epsilon=0.2).min_delta == 0.2

    @pytest.mark.parametrize("schedule", [lambda epoch: 0.1 / (epoch + 1), lambda epoch, lr: 0.1 / (epoch + 1)])
    def test_scheduler(self, model, schedule):
        history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[cbks.LearningRateScheduler(schedule)]).history
        np.testing.assert_allclose(history["lr"], [0.1, 0.05, 0.1 / 3], rtol=1e-6)

    def test_scheduler_wants_floats(self, model):
        with pytest.raises(ValueError, match="should be float"):
            model.fit(X, Y, verbose=0, callbacks=[cbks.LearningRateScheduler(lambda epoch: "fast")])


class TestLoggers:
    def test_csv(self, model, tmp_path):
        path = tmp_path / "log.csv"
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[cbks.CSVLogger(path)])
        model.fit(X, Y, epochs=1, verbose=0, callbacks=[cbks.CSVLogger(path, append=True)])
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["epoch"] for row in rows] == ["0", "1", "0"] and float(rows[0]["loss"]) > 0

    def test_history_and_base_logger(self, model):
        history = model.fit(X, Y, epochs=3, batch_size=7, shuffle=False, verbose=0)
        assert history is model.history and history.epoch == [0, 1, 2]
        logger = cbks.BaseLogger(stateful_metrics=["acc"])
        logger.set_params({"metrics": ["loss", "acc"]})
        logger.on_epoch_begin(0)
        logger.on_batch_end(0, {"size": 3, "loss": 1.0, "acc": 0.1})
        logger.on_batch_end(1, {"size": 1, "loss": 5.0, "acc": 0.4})
        logs = {}
        logger.on_epoch_end(0, logs)
        assert logs == {"loss": 2.0, "acc": 0.4}

    def test_terminate_on_nan(self, model, capsys):
        model.fit(X * np.nan, Y, epochs=3, verbose=0, callbacks=[cbks.TerminateOnNaN()])
        assert model.stop_training and len(model.history.epoch) == 1
        assert "Invalid loss, terminating training" in capsys.readouterr().out

    def test_terminate_on_nan_says_where_it_began(self, capsys):
        def said(x=X, rate=0.01, activation=None, loss="mse", as_generator=False):
            deep = Sequential(
                [
                    Dense(4, name="first", input_shape=(3,)),
                    Dense(4, activation=activation, name="second"),
                    Dense(1, name="third"),
                ]
            )
            deep.compile(keras.optimizers.SGD(rate), loss)
            if as_generator:
                batches = iter([(x, Y)] * 9)
                deep.fit_generator(batches, 5, verbose=0, callbacks=[cbks.TerminateOnNaN()], workers=0)
            else:
                deep.fit(x, Y, batch_size=10, epochs=3, verbose=0, callbacks=[cbks.TerminateOnNaN()])
            assert len(deep.history.epoch) == 1 and deep._running_fit is None
            return capsys.readouterr().out

        assert "first_input' hold nan" in said(X * np.nan)
        log = lambda x: K.log(-K.abs(x) - 1)  # noqa: E731
        for as_generator in (False, True):
            assert "layer 'second', the first whose output" in said(activation=log, as_generator=as_generator)
        assert "in the loss" in said(loss=lambda y_true, y_pred: K.log(-K.square(y_pred) - 1))
        grows = said(rate=1e30)
        assert "the gradient was too large" in grows or "the first whose output" in grows

    def test_terminate_on_nan_inside_of_a_nested_model(self, capsys):
        inner = Sequential([Dense(2, input_shape=(3,)), Lambda(lambda x: K.log(-K.abs(x) - 1))], name="inner")
        outer = Sequential([inner, Dense(1)])
        outer.compile("sgd", "mse")
        outer.fit(X, Y, verbose=0, callbacks=[cbks.TerminateOnNaN()])
        assert "layer 'inner', the first whose output" in capsys.readouterr().out

    @pytest.mark.parametrize("verbose, text", [(1, "20/20 [==============================] - "), (2, " - 0s - loss: ")])
    def test_output(self, model, capsys, verbose, text):
        model.fit(X, Y, batch_size=5, verbose=verbose, validation_data=(X, Y))
        out = capsys.readouterr().out
        assert out.startswith("Train on 20 samples, validate on 20 samples\nEpoch 1/1\n")
        assert text in out and " - val_loss: " in out and out.count("\n") == 3

    def test_remote_monitor(self, model):
        received = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        server = HTTPServer(("localhost", 0), Handler)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monitor = cbks.RemoteMonitor(f"http://localhost:{server.server_port}", send_as_json=True)
        monitor.on_epoch_end(3, {"loss": np.float32(0.5)})
        thread.join()
        server.server_close()
        assert received == [{"epoch": 3, "loss": 0.5}]
        with pytest.warns(UserWarning, match="could not reach RemoteMonitor root server"):
            monitor.on_epoch_end(4, {})


class TestHooks:
    def test_lambda_callback(self, model):
        seen = []
        callback = cbks.LambdaCallback(
            on_train_begin=lambda logs: seen.append("begin"), on_batch_end=lambda batch, logs: seen.append(batch)
        )
        model.fit(X, Y, batch_size=10, verbose=0, callbacks=[callback])
        assert seen == ["begin", 0, 1]

    def test_all_hooks_of_evaluate_and_predict(self, model):
        class Record(cbks.Callback):
            def __init__(self):
                super().__init__()
                self.seen = []

            def on_test_begin(self, logs=None):
                self.seen.append("test")

            def on_test_batch_end(self, batch, logs=None):
                self.seen.append((batch, logs["size"], "loss" in logs))

            def on_predict_batch_begin(self, batch, logs=None):
                self.seen.append((batch, logs["size"]))

            def on_predict_end(self, logs=None):
                self.seen.append("done")

        record = Record()
        model.evaluate(X, Y, batch_size=12, verbose=0, callbacks=[record])
        model.predict(X, batch_size=20, callbacks=[record])
        assert record.seen == ["test", (0, 12, True), (1, 8, True), (0, 20), "done"]

    def test_stopping_inside_an_epoch(self, model):
        def stop(batch, logs):
            model.stop_training = batch == 1

        batches = []
        model.fit(
            X,
            Y,
            batch_size=4,
            epochs=5,
            verbose=0,
            callbacks=[
                cbks.LambdaCallback(on_batch_end=stop),
                cbks.LambdaCallback(on_batch_end=lambda batch, logs: batches.append(batch)),
            ],
        )
        assert batches == [0, 1]

    def test_callbacks_know_model_parameters_and_validation_data(self, model):
        callback = cbks.Callback()
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[callback], validation_data=(X[:5], Y[:5]))
        assert callback.model is model and callback.params["samples"] == 20 and callback.params["batch_size"] == 4
        assert callback.params["metrics"] == ["loss", "val_loss"]
        assert np.array_equal(callback.validation_data[0], X[:5])

    def test_watching_batches(self):
        assert not cbks.CallbackList([cbks.History(), cbks.EarlyStopping()]).watches_batches("train")
        assert cbks.CallbackList([cbks.TerminateOnNaN()]).watches_batches("train")
        assert not cbks.CallbackList([cbks.TerminateOnNaN()]).watches_batches("test")
        assert cbks.CallbackList([cbks.LambdaCallback(on_batch_end=print)]).watches_batches("train")
