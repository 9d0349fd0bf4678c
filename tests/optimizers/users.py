"""Optimizers in the shape in which most users wrote theirs, for either protocol of tf.keras."""

from hornbeam import optimizers
from hornbeam.tf.table import NAMES as TF


class Momentum(optimizers.Optimizer):
    """The shape that most such classes have."""

    def __init__(self, learning_rate=0.1, momentum=0.9, name="Momentum", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("momentum", momentum)

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, "velocity")

    def _prepare_local(self, var_device, var_dtype, apply_state):
        super()._prepare_local(var_device, var_dtype, apply_state)
        apply_state[(var_device, var_dtype)]["momentum"] = self._get_hyper("momentum", var_dtype)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        var_device, var_dtype = var.device, var.dtype.base_dtype
        coefficients = (apply_state or {}).get((var_device, var_dtype)) or self._fallback_apply_state(
            var_device, var_dtype
        )
        velocity = self.get_slot(var, "velocity")
        velocity.assign(
            coefficients["momentum"] * velocity - coefficients["lr_t"] * grad, use_locking=self._use_locking
        )
        return var.assign_add(velocity)

    def get_config(self):
        return {
            **super().get_config(),
            "learning_rate": self._serialize_hyperparameter("learning_rate"),
            "momentum": self._serialize_hyperparameter("momentum"),
            "decay": self._initial_decay,
        }


class Lamb(optimizers.Optimizer):
    """https://arxiv.org/abs/1904.00962"""

    def __init__(
        self, learning_rate=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-6, weight_decay=None, decay_rate=0.01, name="Lamb",
        **kwargs,
    ):  # fmt: skip
        super().__init__(name=name, weight_decay=weight_decay, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1, self.beta_2, self.epsilon, self.decay_rate = beta_1, beta_2, epsilon, decay_rate

    def build(self, var_list):
        super().build(var_list)
        if hasattr(self, "_built") and self._built:
            return
        self._built = True
        self._m, self._v = [], []
        for var in var_list:
            self._m.append(self.add_variable_from_reference(model_variable=var, variable_name="m"))
            self._v.append(self.add_variable_from_reference(model_variable=var, variable_name="v"))

    def update_step(self, gradient, variable):
        lr = TF["cast"](self.learning_rate, variable.dtype)
        t = TF["cast"](self.iterations + 1, variable.dtype)
        index = self._index_dict[self._var_key(variable)]
        m, v = self._m[index], self._v[index]
        m.assign_add((gradient - m) * (1 - self.beta_1))
        v.assign_add((TF["square"](gradient) - v) * (1 - self.beta_2))
        m_hat = m / (1 - TF["pow"](self.beta_1, t))
        v_hat = v / (1 - TF["pow"](self.beta_2, t))
        step = m_hat / (TF["sqrt"](v_hat) + self.epsilon) + self.decay_rate * variable
        w_norm, step_norm = TF["norm"](variable), TF["norm"](step)
        ratio = TF["where"](w_norm > 0, TF["where"](step_norm > 0, w_norm / step_norm, 1.0), 1.0)
        variable.assign_sub(lr * ratio * step)

    def get_config(self):
        config = super().get_config()
        config.update({
            "learning_rate": self._serialize_hyperparameter(self._learning_rate),
            "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "decay_rate": self.decay_rate,
        })  # fmt: skip
        return config
