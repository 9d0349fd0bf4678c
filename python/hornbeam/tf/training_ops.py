"""Steps of optimizers on variables, which code for TensorFlow calls as ``tf.raw_ops.ResourceApply...``.

They assign at once, as all does that a traced or eager function assigns.
"""

from __future__ import annotations

from typing import Any

from .. import graph
from ..graph import Tensor
from . import k as K
from .table import for_scripts


def _root(x: Any) -> Tensor:
    return graph.apply("sqrt", [graph.convert(x)])


@for_scripts("raw_ops.ResourceApplyGradientDescent", "python.resource_apply_gradient_descent")
def gradient_descent(var: Any, alpha: Any, delta: Any, use_locking: bool = False, name: Any = None) -> Any:
    return var.assign_sub(alpha * delta)


@for_scripts("raw_ops.ResourceApplyMomentum", "python.resource_apply_momentum")
def momentum(
    var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, use_locking: bool = False, use_nesterov: bool = False,
    name: Any = None,
) -> Any:  # fmt: skip
    accum.assign(momentum * accum + grad)
    return var.assign_sub(lr * (grad + momentum * accum) if use_nesterov else lr * accum)


@for_scripts("raw_ops.ResourceApplyKerasMomentum", "python.resource_apply_keras_momentum")
def keras_momentum(
    var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, use_locking: bool = False, use_nesterov: bool = False,
    name: Any = None,
) -> Any:  # fmt: skip
    accum.assign(momentum * accum - lr * grad)
    return var.assign_add(momentum * accum - lr * grad if use_nesterov else accum)


@for_scripts("raw_ops.ResourceApplyAdam", "python.resource_apply_adam")
def adam(
    var: Any, m: Any, v: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any,
    use_locking: bool = False, use_nesterov: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    m.assign(beta1 * m + (1.0 - beta1) * grad)
    v.assign(beta2 * v + (1.0 - beta2) * K.square(grad))
    mean = beta1 * m + (1.0 - beta1) * grad if use_nesterov else m
    return var.assign_sub(_corrected(lr, beta1_power, beta2_power) * mean / (_root(v) + epsilon))


@for_scripts("raw_ops.ResourceApplyAdamWithAmsgrad", "python.resource_apply_adam_with_amsgrad")
def amsgrad(
    var: Any, m: Any, v: Any, vhat: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any,
    grad: Any, use_locking: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    m.assign(beta1 * m + (1.0 - beta1) * grad)
    v.assign(beta2 * v + (1.0 - beta2) * K.square(grad))
    vhat.assign(K.maximum(vhat, v))
    return var.assign_sub(_corrected(lr, beta1_power, beta2_power) * m / (_root(vhat) + epsilon))


def _corrected(lr: Any, beta1_power: Any, beta2_power: Any) -> Any:
    """Adam's learning rate, for averages that began at zero."""
    return lr * _root(1.0 - beta2_power) / (1.0 - beta1_power)


@for_scripts("raw_ops.ResourceApplyAdaMax", "python.resource_apply_ada_max")
def adamax(
    var: Any, m: Any, v: Any, beta1_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any,
    use_locking: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    m.assign(beta1 * m + (1.0 - beta1) * grad)
    v.assign(K.maximum(beta2 * v, K.abs(grad)))
    return var.assign_sub(lr / (1.0 - beta1_power) * m / (v + epsilon))


@for_scripts("raw_ops.ResourceApplyAdagradV2", "python.resource_apply_adagrad_v2")
def adagrad(
    var: Any, accum: Any, lr: Any, epsilon: Any, grad: Any, use_locking: bool = False, update_slots: bool = True,
    name: Any = None,
) -> Any:  # fmt: skip
    if update_slots:
        accum.assign_add(K.square(grad))
    return var.assign_sub(lr * grad / (_root(accum) + epsilon))


@for_scripts("raw_ops.ResourceApplyProximalAdagrad", "python.resource_apply_proximal_adagrad")
def proximal_adagrad(
    var: Any, accum: Any, lr: Any, l1: Any, l2: Any, grad: Any, use_locking: bool = False, name: Any = None
) -> Any:
    accum.assign_add(K.square(grad))
    rate = lr / _root(accum)
    new = var - rate * grad
    return var.assign(graph.apply("sign", [new]) * K.maximum(K.abs(new) - rate * l1, 0.0) / (1.0 + rate * l2))


@for_scripts("raw_ops.ResourceApplyAdadelta", "python.resource_apply_adadelta")
def adadelta(
    var: Any, accum: Any, accum_update: Any, lr: Any, rho: Any, epsilon: Any, grad: Any, use_locking: bool = False,
    name: Any = None,
) -> Any:  # fmt: skip
    accum.assign(rho * accum + (1.0 - rho) * K.square(grad))
    step = _root(accum_update + epsilon) / _root(accum + epsilon) * grad
    accum_update.assign(rho * accum_update + (1.0 - rho) * K.square(step))
    return var.assign_sub(lr * step)


@for_scripts("raw_ops.ResourceApplyRMSProp", "python.resource_apply_rms_prop")
def rmsprop(
    var: Any, ms: Any, mom: Any, lr: Any, rho: Any, momentum: Any, epsilon: Any, grad: Any, use_locking: bool = False,
    name: Any = None,
) -> Any:  # fmt: skip
    ms.assign(rho * ms + (1.0 - rho) * K.square(grad))
    mom.assign(momentum * mom + lr * grad / _root(ms + epsilon))
    return var.assign_sub(mom)
