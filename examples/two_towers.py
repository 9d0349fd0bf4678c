"""Two towers: users and films become vectors whose product says how much the one will like the other.

    hornbeam run examples/two_towers.py

The ratings are made up from hidden tastes; the model sees who rated what, and a film's genres.
"""

import numpy as np
from keras.layers import Add, Concatenate, Dense, Dot, Embedding, Flatten, Input
from keras.models import Model
from keras.regularizers import l2

rng = np.random.RandomState(0)
np.random.seed(0)

n_users, n_films, n_genres, n_ratings = 150, 100, 6, 6000
genres = (rng.rand(n_films, n_genres) > 0.6).astype("float32")
taste = rng.normal(size=(n_users, n_genres))
quality, mood = rng.normal(size=n_films), rng.normal(size=n_users)
users, films = rng.randint(0, n_users, n_ratings), rng.randint(0, n_films, n_ratings)
ratings = (taste[users] * genres[films]).sum(axis=1) + quality[films] + mood[users]
ratings = (ratings - ratings.mean()) / ratings.std()

user = Input((1,), name="user")
film = Input((1,), name="film")
genre = Input((n_genres,), name="genre")


def vector(ids, count, size, name):
    return Flatten()(Embedding(count, size, embeddings_regularizer=l2(1e-6), name=name)(ids))


user_tower = Dense(16, name="user_vector")(vector(user, n_users, 16, "users"))
described = Concatenate()([vector(film, n_films, 8, "films"), genre])
film_tower = Dense(16, name="film_vector")(described)
liking = Dot(axes=1)([user_tower, film_tower])
rating = Add(name="rating")([liking, vector(user, n_users, 1, "user_bias"), vector(film, n_films, 1, "film_bias")])

model = Model([user, film, genre], rating)
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
model.summary()

inputs = {"user": users, "film": films, "genre": genres[films]}
held_out = n_ratings * 4 // 5
train = {name: x[:held_out] for name, x in inputs.items()}
test = {name: x[held_out:] for name, x in inputs.items()}
model.fit(train, ratings[:held_out], batch_size=64, epochs=30, verbose=2, validation_split=0.1)

error, _ = model.evaluate(test, ratings[held_out:], verbose=0)

# Each tower is a model of its own: films are looked up by their vectors, without running the whole for every pair.
films_alone = Model([film, genre], film_tower).predict([np.arange(n_films), genres])
users_alone = Model(user, user_tower).predict(np.arange(n_users))
bias = Model(film, model.get_layer("film_bias").output).predict(np.arange(n_films))[:, 0, 0]
order = np.argsort(users_alone[0] @ films_alone.T + bias)
true = genres @ taste[0] + quality
print(f"Explained variance: {1 - error / ratings[held_out:].var():.4f}")
print(f"First user likes the upper half better: {true[order[50:]].mean() > true[order[:50]].mean() + 1}")
