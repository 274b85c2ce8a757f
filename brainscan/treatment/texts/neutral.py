"""Ordinary text and ordinary requests: what a treatment is to leave alone."""

from __future__ import annotations

TEXTS = (
    "The bakery on the corner opens before sunrise. By seven the shelves are full, and a line of people with cold hands "
    "waits in front of the window for the first warm rolls of the day.",
    "A bicycle chain lasts longer when it is kept clean. Wipe it with a dry cloth after every ride, put one drop of oil on "
    "each link, and turn the pedals backwards until the oil has spread.",
    "Clouds look white because their drops scatter all colours of the sunlight alike. When a cloud grows thick, less light "
    "comes through it, and seen from below it turns grey.",
    "The meeting was moved to Thursday because two members were ill. Please bring the list of repairs, the letters from "
    "the insurance company, and an idea of what the new roof may cost.",
    "In the second year of the war the town lost its bridge. For eleven years people crossed the river in flat boats, and "
    "the ferryman's family became the richest in the valley.",
    "To plant a young tree, dig a hole twice as wide as its roots. Loosen the soil at the bottom, set the tree upright, "
    "fill the hole with earth, and water it well for the first summer.",
    "My uncle repairs old radios. He says that most of them are not broken at all: a little dust has settled between two "
    "plates, and the music comes back as soon as somebody takes the time to look.",
    "An orchestra tunes to the oboe because its note is steady and easy to hear. The strings follow first, then the other "
    "woodwinds, and last of all the brass.",
    "Glass is made from sand, soda and lime. The mixture is heated until it glows and flows like honey; then it is blown, "
    "poured or rolled, and cooled slowly so that it does not crack.",
    "She packed a map, two apples and a rain jacket, left a note on the kitchen table, and walked along the canal until "
    "the houses ended and the fields began.",
    "The library lends books for four weeks. They can be renewed twice unless another reader has asked for them, and a "
    "small fee is due for every week that a book comes back too late.",
    "Owls fly almost without a sound. The edges of their feathers are soft and fringed, which breaks up the rush of air "
    "that gives other birds away.",
)
"""Treatments are made with these and their dose is chosen on them, by perplexity and distance from the untreated subject."""
HELD_OUT = (
    "The clock in the town hall is wound by hand every Monday. The keeper climbs ninety steps, turns the crank until the "
    "weights have risen to the ceiling, and oils the smallest wheel.",
    "Salt water freezes at a lower temperature than fresh water. That is why the harbour is often open in January while "
    "the ponds behind the village carry skaters.",
    "The second floor will be painted next week. Please empty the shelves by Friday, label the boxes with the number of "
    "your room, and leave the keys with the porter.",
    "Bread that has gone hard can still be used. Cut it into cubes, toast them in a little butter, and scatter them over a "
    "soup or a bowl of salad just before it is served.",
    "Her first violin was too large for her. She played it all the same, with her arm stretched out like a branch, until a "
    "neighbour lent her a smaller one.",
    "A canal lock lifts a boat without any pump. Water from the upper side runs into the chamber until both levels are "
    "equal, and then the upper gates can be opened.",
    "In the spring of that year the potato harvest failed in three counties. Many families left for the coast, where the "
    "shipyards were looking for hands.",
    "Bees tell each other the way to a field by dancing. The direction of the dance stands for the direction of the "
    "flowers, and its length for how far away they are.",
    "The train stops for six minutes at the border. There is just enough time to buy a cup of coffee, to look at the "
    "mountains, and to run back when the whistle blows.",
    "Wool shrinks when it is washed hot, because the scales of its fibres catch on one another. Lukewarm water, a mild soap "
    "and a little patience keep a jumper in its shape.",
    "For the exhibition the museum borrowed forty drawings. They hang in a room with weak light, since the paper would turn "
    "yellow in the sun within a few months.",
    "He keeps a notebook beside the bed. Most mornings there is nothing in it, but once in a while he finds a sentence that "
    "he does not remember having written.",
)
"""Side effects are measured on these: nothing was learned from them and no dose was chosen on them."""
REQUESTS = (
    "Why does bread rise in the oven?", "Write two sentences about a walk in the rain.", "How do I keep my desk tidy?",
    "What is a good name for a grey cat?", "Explain what a thermometer does.", "Give me an idea for a birthday card.",
    "How do boats stay afloat?", "Tell me about the life of a beekeeper.", "What should I pack for a weekend at the sea?",
    "Describe the sound of a waterfall.", "How can I learn to draw trees?", "Why do leaves change their colour?",
    "What games can children play indoors?", "How is cheese made?", "Give me a short text about stars.",
    "What makes a story exciting?", "How do I wrap a present?", "Tell me something about old castles.",
    "Which flowers bloom in spring?", "How does a pencil work?", "Write a line about winter.", "What is a compass for?",
    "How do I make tea?", "Why is the sky dark at night?",
)  # fmt: skip
"""Answers to these are looked at for fluency; half of them are used to retain, the other half to test."""
BEGINNINGS = (
    "The road to the lake", "In the old part of the city", "When the bus arrived,", "A good soup begins with",
    "The teacher opened the window and", "Most birds in this region", "During the summer the river", "To clean a brush,",
    "The museum was built", "Every evening the lighthouse", "A letter from her sister", "Under the kitchen table",
    "People who live near mountains", "The first snow of the year", "An engine needs", "The price of apples",
    "At the end of the street", "Scientists have measured", "My grandfather used to", "The garden in front of the house",
)  # fmt: skip
"""Plain text that a fine-tune with a retain loss continues as before."""
