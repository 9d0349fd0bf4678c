"""Attention against NumPy: scores, masks, causality, heads, several axes, configs."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, clone_model, load_model, model_from_json

Q, V, KEY = (np.random.RandomState(seed).rand(3, n, 4).astype("float32") for seed, n in enumerate((5, 6, 6)))


def softmax(scores, seen=True):
    exp = np.exp(scores - scores.max(-1, keepdims=True)) * seen
    return exp / exp.sum(-1, keepdims=True)


def model_of(layer, *arrays, **call):
    inputs = [L.Input(a.shape[1:], dtype=a.dtype.name) for a in arrays]
    return Model(inputs, layer(inputs, **call))


def with_random_weights(rng, model):
    model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.weights])
    return model


# -- dense attention -------------------------------------------------------------------------------------------
def test_dot_product(rng):
    model = with_random_weights(rng, model_of(L.Attention(use_scale=True), Q, V, KEY, return_attention_scores=True))
    (scale,) = model.get_weights()
    weights = softmax(Q @ KEY.swapaxes(1, 2) * scale)
    output, got = model.predict([Q, V, KEY])
    np.testing.assert_allclose(got, weights, rtol=1e-5)
    np.testing.assert_allclose(output, weights @ V, rtol=1e-5)


@pytest.mark.parametrize("layer", [L.Attention(score_mode="concat", use_scale=True), L.AdditiveAttention()])
def test_additive_scores(layer, rng):
    model = with_random_weights(rng, model_of(layer, Q, V))
    terms = Q[:, :, None] + V[:, None]
    if isinstance(layer, L.AdditiveAttention):
        (scale,) = model.get_weights()
        scores = (scale * np.tanh(terms)).sum(-1)
    else:
        scale, weight = model.get_weights()
        scores = weight * np.tanh(scale * terms).sum(-1)
    np.testing.assert_allclose(model.predict([Q, V]), softmax(scores) @ V, rtol=1e-5)


def test_masks_of_queries_and_values(rng):
    tokens = L.Input((5,)), L.Input((6,))
    embedded = [L.Embedding(9, 4, mask_zero=True)(t) for t in tokens]
    model = Model(list(tokens), [L.Attention()(embedded), *embedded])
    q, v = rng.randint(0, 4, (3, 5)), rng.randint(0, 4, (3, 6))
    v[:, 0] = 1
    got, x, y = model.predict([q, v])
    expected = softmax(x @ y.swapaxes(1, 2), (v != 0)[:, None]) @ y * (q != 0)[..., None]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    assert K.int_shape(model.layers[-1]._inbound_nodes[0].output_masks[0]) == (None, 5)


def test_causal():
    seen = np.tril(np.ones((5, 6)))
    expected = softmax(Q @ V.swapaxes(1, 2), seen) @ V
    np.testing.assert_allclose(model_of(L.Attention(), Q, V, use_causal_mask=True).predict([Q, V]), expected, rtol=1e-5)
    older = model_of(L.Attention(causal=True), Q, V)
    np.testing.assert_allclose(model_from_json(older.to_json()).predict([Q, V]), expected, rtol=1e-5)


def test_dropout_in_training_only():
    layer = L.Attention(dropout=0.5)
    inputs = [L.Input(a.shape[1:]) for a in (Q, V)]
    run = K.function([*inputs, K.learning_phase()], layer(inputs, return_attention_scores=True))
    assert (run([Q, V, 1])[1] == 0).any() and not (run([Q, V, 0])[1] == 0).any()


def test_mistakes_of_dense_attention():
    with pytest.raises(ValueError, match=r"takes a list \[query, value\]"):
        L.Attention()(L.Input((5, 4)))
    with pytest.raises(ValueError, match="score_mode"):
        L.Attention(score_mode="cosine")


# -- several heads ----------------------------------------------------------------------------------------------
def heads(q, k, v, weights, seen=True):
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    q, k, v = (np.einsum("btf,fhd->bhtd", x, w) + b[:, None] for x, w, b in ((q, wq, bq), (k, wk, bk), (v, wv, bv)))
    attention = softmax(q @ k.swapaxes(2, 3) / np.sqrt(wq.shape[-1]), seen)
    return np.einsum("bhtd,hdo->bto", attention @ v, wo) + bo, attention


def test_multi_head_attention(rng):
    q, v, k = L.Input((5, 4)), L.Input((6, 4)), L.Input((6, 3))
    key = rng.rand(3, 6, 3).astype("float32")
    layer = L.MultiHeadAttention(2, 3, value_dim=5, output_shape=7)
    model = with_random_weights(rng, Model([q, v, k], layer(q, v, k, return_attention_scores=True)))
    assert [w.name.split("/", 1)[1] for w in layer.weights] == [
        f"{part}/{kind}:0" for part in ("query", "key", "value", "attention_output") for kind in ("kernel", "bias")
    ]
    expected, attention = heads(Q, key, V, layer.get_weights())
    for again in (model, model_from_json(model.to_json()), clone_model(model)):
        again.set_weights(model.get_weights())
        output, got = again.predict([Q, V, key])
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(got, attention, rtol=1e-4)


def test_masks_of_heads(tmp_path, rng):
    tokens, mask = L.Input((6,)), L.Input((6, 6), dtype="bool")
    x = L.Embedding(9, 4, mask_zero=True)(tokens)
    layer = L.MultiHeadAttention(2, 3)
    model = with_random_weights(rng, Model([tokens, mask], [layer(x, x, attention_mask=mask, use_causal_mask=True), x]))
    numbers, seen = rng.randint(0, 4, (3, 6)), rng.rand(3, 6, 6) > 0.3
    numbers[:, 0], seen[:, :, 0] = 1, True
    model.save(tmp_path / "model.h5")
    model.save(tmp_path / "model.keras")
    known = numbers != 0
    every = (seen & np.tril(np.ones((6, 6), bool)) & known[:, None])[:, None]
    for again in (model, *(load_model(tmp_path / f"model.{kind}", compile=False) for kind in ("h5", "keras"))):
        output, embedded = again.predict([numbers, seen])
        expected, _ = heads(embedded, embedded, embedded, layer.get_weights(), every)
        np.testing.assert_allclose(output[known], expected[known], rtol=1e-4, atol=1e-5)


def test_several_attention_axes(rng):
    x = rng.rand(2, 3, 4, 5).astype("float32")
    flat = x.reshape(2, 12, 5)
    layer = L.MultiHeadAttention(2, 3)
    grid = with_random_weights(rng, model_of(layer, x, x, x))
    line = model_of(L.MultiHeadAttention(2, 3), flat, flat, flat)
    line.set_weights(grid.get_weights())
    np.testing.assert_allclose(grid.predict([x] * 3).reshape(2, 12, 5), line.predict([flat] * 3), rtol=1e-4, atol=1e-6)
    rows = model_of(L.MultiHeadAttention(2, 3, attention_axes=(2,)), x, x, x)
    rows.set_weights(grid.get_weights())
    each = x.reshape(6, 4, 5)
    single = model_of(L.MultiHeadAttention(2, 3), each, each, each)
    single.set_weights(grid.get_weights())
    np.testing.assert_allclose(rows.predict([x] * 3).reshape(6, 4, 5), single.predict([each] * 3), rtol=1e-4, atol=1e-6)


def test_attention_on_arrays_and_with_a_fixed_mask():
    layer = L.MultiHeadAttention(2, 3)
    plain = np.asarray(layer(Q, Q))
    np.testing.assert_allclose(plain, heads(Q, Q, Q, layer.get_weights())[0], rtol=1e-4, atol=1e-5)
    x, seen = L.Input((5, 4)), np.tril(np.ones((1, 5, 5), bool))
    fixed = Model(x, layer(x, x, attention_mask=seen)).predict(Q)
    np.testing.assert_allclose(fixed, heads(Q, Q, Q, layer.get_weights(), seen)[0], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="query and a value"):
        layer(x)
