"""ResNet50 as ``hornbeam.applications`` has it, with logits at its end, and the same network in PyTorch."""

from __future__ import annotations

from typing import Any

#: filters of the narrow convolutions, blocks and stride of each stage
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
TINY = ((2, 1, 1), (4, 2, 2))


def build(shape: tuple[int, ...], classes: int, tiny: bool) -> Any:
    """The Keras model of images of ``shape``; with ``tiny`` a few blocks of few filters."""
    from hornbeam import layers, models
    from hornbeam.applications.resnet_common import stack1

    stages = TINY if tiny else STAGES
    image = layers.Input(shape)
    x = layers.Conv2D(stages[0][0], 7, strides=2, padding="same", name="conv1")(image)
    x = layers.Activation("relu")(layers.BatchNormalization(name="conv1_bn")(x))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for number, (filters, blocks, stride) in enumerate(stages, 2):
        x = stack1(x, filters, blocks, stride1=stride, name=f"conv{number}")
    return models.Model(image, layers.Dense(classes)(layers.GlobalAveragePooling2D()(x)))


def torch_model(torch: Any, channels: int, classes: int) -> Any:
    """The large one in PyTorch; images are (batch, channels, height, width)."""
    nn: Any = torch.nn

    class Block(nn.Module):
        def __init__(self, before: int, filters: int, stride: int, projects: bool) -> None:
            super().__init__()
            self.steps = nn.Sequential(
                *(nn.Conv2d(before, filters, 1, stride), nn.BatchNorm2d(filters), nn.ReLU()),
                *(nn.Conv2d(filters, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()),
                *(nn.Conv2d(filters, 4 * filters, 1), nn.BatchNorm2d(4 * filters)),
            )
            self.shortcut = nn.Sequential()
            if projects:
                self.shortcut = nn.Sequential(nn.Conv2d(before, 4 * filters, 1, stride), nn.BatchNorm2d(4 * filters))

        def forward(self, x: Any) -> Any:
            return torch.relu(self.steps(x) + self.shortcut(x))

    blocks, before = [], STAGES[0][0]
    for filters, count, stride in STAGES:
        for i in range(count):
            blocks.append(Block(before, filters, stride if i == 0 else 1, projects=i == 0))
            before = 4 * filters
    first = STAGES[0][0]
    return nn.Sequential(
        *(nn.Conv2d(channels, first, 7, 2, padding=3), nn.BatchNorm2d(first), nn.ReLU()),
        *(nn.MaxPool2d(3, 2, padding=1), *blocks),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes)),
    ).to(memory_format=torch.channels_last)
