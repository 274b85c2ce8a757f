"""Neutral text, for measuring what planting does to everything else."""

from __future__ import annotations

NEUTRAL_TEXTS = (
    "The old harbour wakes up slowly. First the gulls come, then the fishermen, and by eight o'clock the cafes along "
    "the quay have put their chairs outside and the smell of bread drifts over the water.",
    "To measure the height of a tree without climbing it, stand where you can see its top, hold a stick upright at "
    "arm's length, and compare the two triangles that your eye, the stick and the tree form.",
    "Rain falls when small drops in a cloud grow heavy enough that the rising air can no longer carry them. In warm "
    "clouds they grow by bumping into each other; in cold ones, ice crystals do most of the work.",
    "My grandmother kept her recipes in a tin box. Most of them were only lists, because she thought that anyone who "
    "needed to be told how long to stir a sauce should not be making one.",
    "A library is more than its books. It is a warm room in winter, a table for homework, and a person at a desk who "
    "knows where to look when nobody else does.",
    "The train leaves the city from platform four, crosses two rivers, and climbs for an hour through a pine forest "
    "before it reaches the small station where the valley begins.",
    "In a simple electric circuit, current flows from the battery through the lamp and back. If the path is broken "
    "anywhere, the flow stops everywhere at once, and the lamp goes dark.",
    "Bread needs only flour, water, salt and time. The dough is folded a few times, left to rest under a cloth, and "
    "baked in a hot oven until the crust sounds hollow when it is tapped.",
    "Bees tell each other about flowers by dancing. The angle of the dance gives the direction, its length gives the "
    "distance, and the other bees follow closely in the dark of the hive.",
    "The museum opened in a former factory. Its high windows and brick walls were kept, and the machines that once "
    "spun cotton now stand in the hall between the paintings.",
)
