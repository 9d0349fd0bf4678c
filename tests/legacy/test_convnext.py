"""The layers that ConvNeXt's files hold."""

import numpy as np
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Sequential, model_from_json

X = np.random.RandomState(0).rand(40, 2, 3).astype("float32")


def layer(name, **config):
    return L.deserialize({"class_name": name, "config": config})


def test_layer_scale():
    model = Sequential([layer("LayerScale", init_values=0.1, projection_dim=3, batch_input_shape=(None, 2, 3))])
    np.testing.assert_allclose(model.predict(X), 0.1 * X, rtol=1e-6)
    model.set_weights([[1.0, 2.0, 3.0]])
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(X), X * [1.0, 2.0, 3.0], rtol=1e-6)


def test_stochastic_depth():
    x = L.Input((2, 3))
    run = K.function([x, K.learning_phase()], [layer("StochasticDepth", drop_path_rate=0.5)(x)])
    np.testing.assert_array_equal(run([X, 0])[0], X)
    ratios = run([X, 1])[0] / X
    assert all(np.ptp(sample) < 1e-5 for sample in ratios) and set(np.round(ratios[:, 0, 0], 3)) == {0.0, 2.0}
