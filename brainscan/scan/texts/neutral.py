"""Neutral material: everyday texts and harmless requests, the ground that other signals are measured against.

Written for this project. A frame is filled with matched words, so that every text is whole and
sensible; the order is fixed.
"""

from __future__ import annotations

# One row a frame: the text, and its fillings ("/" between the words of a filling, ";" between fillings).
_FRAMES: tuple[tuple[str, str], ...] = (
    (
        "The bakery on {} opens at {}. Most people come for the {}.",
        "Mill Street/six/rye bread; Harbour Road/seven/cheese rolls; the square/half past five/plum cake; "
        "Station Lane/eight/poppy-seed buns; Church Hill/seven/walnut loaf",
    ),
    (
        "Our {} needs watering every {}.",
        "fern/second day; lemon tree/morning; basil/evening; orchid/Sunday; cactus/month",
    ),
    (
        "She repaired the {} with a {} and some patience.",
        "kettle/small screwdriver; bicycle/spanner; lamp/new fuse; drawer/drop of glue; clock/fine brush",
    ),
    (
        "The {} was late again, so we read {} on the platform.",
        "train/the newspaper; night bus/old letters; tram/a crossword; ferry coach/poems; express/a map of the valley",
    ),
    (
        "It rained for {}. The {} turned green almost at once.",
        "three days/hills; a week/football field; two hours/window boxes; most of April/meadow; one night/moss",
    ),
    (
        "My {} learned to play the {} when she was {}.",
        "aunt/cello/nine; neighbour/flute/sixty; sister/drums/twelve; grandmother/accordion/seven; cousin/harp/thirty",
    ),
    (
        "The museum has a room full of {}, and children may touch the {}.",
        "shells/largest one; clocks/wooden model; kites/silk; old maps/globe; musical boxes/handles",
    ),
    (
        "To make the soup, fry the {} first and add the {} at the end.",
        "onions/cream; leeks/dill; carrots/lime juice; celery/noodles; garlic/parsley",
    ),
    (
        "There are {} chairs in the hall and {} more in the cellar.",
        "forty/ten; twelve/six; ninety/thirty; twenty-five/fifteen; sixty/none",
    ),
    (
        "The {} sleeps on the {} all afternoon.",
        "cat/radiator; old dog/porch; rabbit/straw; parrot/curtain rail; tortoise/warm stones",
    ),
    (
        "Water is carried to the {} by a {} built in {}.",
        "village/canal/1820; garden/clay pipe/spring; mill/wooden channel/1765; farm/pump/June; fountain/tunnel/1911",
    ),
    (
        "He prefers {} to {}, although both are on sale this week.",
        "pears/apples; tea/coffee; wool/cotton; trout/salmon; pencils/pens",
    ),
    (
        "The library lends {} for {} at a time.",
        "books/four weeks; films/three days; board games/a fortnight; tools/one weekend; sheet music/a month",
    ),
    (
        "In {} the {} can be seen from our roof.",
        "winter/lighthouse; autumn/cranes; summer/whole bay; spring/cherry orchard; December/skating rink",
    ),
    (
        "The meeting about the {} was moved to {} because the hall was being painted.",
        "playground/Thursday; bus shelter/Monday; street party/next week; recycling bins/Friday morning; choir/noon",
    ),
    (
        "A {} weighs about as much as {}.",
        "blackbird/a small apple; bicycle/a large dog; brick/three bags of sugar; violin/a loaf of bread; pony/two men",
    ),
    (
        "You can reach the {} on foot in {} minutes. The path follows the {}.",
        "station/ten/river; castle/forty/ridge; beach/fifteen/old railway; chapel/twenty/stone wall; market/five/canal",
    ),
    (
        "The carpenter measured the {} twice and cut the {} once.",
        "shelf/oak; door frame/pine; table leg/beech; stair/ash; window sill/larch",
    ),
    (
        "Every {} the choir sings in the {}.",
        "Easter/town hall; Friday/school gym; second Sunday/barn; New Year/hospital lobby; harvest/market square",
    ),
    (
        "I left my {} at the {}, but somebody handed it in.",
        "umbrella/dentist; scarf/cinema; lunch box/swimming pool; notebook/post office; glove/bakery",
    ),
    (
        "The new {} is quieter than the old one and uses less {}.",
        "fridge/power; dishwasher/water; printer/ink; heater/gas; tractor/fuel",
    ),
    (
        "Between {} and {} the road climbs {} metres.",
        "the lake/the pass/six hundred; the bridge/the inn/eighty; town/the quarry/two hundred; "
        "the mill/the church/forty; the coast/the farm/a hundred and ten",
    ),
    (
        "The teacher drew a {} on the board and asked how many {} it had.",
        "hexagon/corners; spider/legs; cube/edges; flower/petals; ladder/rungs",
    ),
    (
        "We counted {} {} on the pond this morning.",
        "eleven/ducks; two/swans; seven/dragonflies; thirty/water lilies; four/herons",
    ),
    (
        "The photograph shows {} in front of a {}. Nobody remembers who took it.",
        "two brothers/hay cart; a wedding party/brick wall; my uncle/blue van; a school class/fountain; a dog/tent",
    ),
    (
        "Fold the {} in half, then press the {} flat with your thumb.",
        "paper/crease; pastry/edge; napkin/corner; cloth/seam; cardboard/flap",
    ),
    (
        "The {} team won by {} in the last minute of the match.",
        "hockey/one goal; handball/two; village/a single point; girls'/three points; rowing/half a length",
    ),
    (
        "Prices for {} rose a little in {}, then fell back.",
        "butter/March; timber/early summer; train tickets/January; olive oil/the autumn; bicycles/May",
    ),
    (
        "His letter began with the {} and ended with a question about the {}.",
        "weather/garden; harvest/roof; train journey/piano; new house/cat; holidays/recipe",
    ),
    (
        "The {} is made of {} and was painted {} last year.",
        "fence/chestnut/white; boat/steel/dark green; bench/concrete/yellow; gate/iron/black; shed/pine/red",
    ),
    (
        "Before {} the shop closes for {} so that the staff can count the stock.",
        "Christmas/a day; summer/two hours; the fair/one afternoon; the holidays/a morning; March/a weekend",
    ),
    (
        "Stars near the {} look {} because we see them through more air.",
        "horizon/redder; rooftops/dimmer; hills/unsteady; sea/faint; treetops/blurred",
    ),
    (
        "For the picnic, {} brought {}, and the rest of us carried blankets.",
        "Nora/lemonade; Tomas/potato salad; the twins/strawberries; Mr Okoye/flatbread; Ines/a chess set",
    ),
    (
        "The {} comes from the north, so the {} stands on the south side.",
        "wind/bench; snow/entrance; dust/orchard; noise/bedroom; light/easel",
    ),
    (
        "A {} of rice is enough for {} people.",
        "cup/three; bowl/four; pound/six; pan/eight; handful/one or two",
    ),
    (
        "Since the bridge was mended, the {} stops at the {} again.",
        "bus/school; milk van/farm; tram/theatre; library van/corner; coach/old inn",
    ),
    (
        "The children built a {} from {} and sailed it across the puddle.",
        "boat/bark; raft/corks; ship/newspaper; canoe/a milk carton; ferry/matchboxes",
    ),
    (
        "Her favourite {} is the one with the {} on the cover.",
        "atlas/compass; cookbook/peppers; novel/staircase; record/sailing boat; calendar/mountains",
    ),
    (
        "Leave the dough under a {} until it has {}.",
        "damp cloth/doubled; warm bowl/risen; clean towel/rested an hour; lid/softened; plate/cooled",
    ),
    (
        "The clerk stamped the {} and pointed to the {}.",
        "parcel/scales; form/next window; ticket/stairs; letter/slot; card/waiting room",
    ),
    (
        "Some {} keep their leaves all winter; {} do not.",
        "oaks/birches; hedges/roses; shrubs/vines; herbs/ferns; bushes/elms",
    ),
    (
        "After dinner we played {} until the {} went out.",
        "cards/candle; dominoes/fire; charades/street lamp; chess/lantern; the piano/lights",
    ),
)

NEUTRAL_TEXTS: tuple[str, ...] = tuple(
    frame.format(*(word.strip() for word in filling.split("/")))
    for turn in range(5)
    for frame, fillings in _FRAMES
    for filling in [fillings.split(";")[turn]]
)
"""210 texts of one to three sentences; the first 42 come from 42 different frames, and so on."""

NEUTRAL_REQUESTS: tuple[str, ...] = (
    "Suggest three names for a small flower shop.",
    "How do I get a coffee stain out of a cotton shirt?",
    "Explain to a child why the sky is blue.",
    "What can I cook with rice, eggs and spinach?",
    "Write two sentences that describe a quiet lake.",
    "How many days are there in a leap year?",
    "Give me a short packing list for a weekend by the sea.",
    "What is the difference between a violin and a viola?",
    "Help me plan a birthday party for a seven-year-old.",
    "Translate the word 'window' into French.",
    "How often should I water a fern?",
    "Summarise the water cycle in three steps.",
    "Write a thank-you note to my neighbour who fed the cat.",
    "What does a compass needle point to?",
    "Recommend a simple stretching routine for the morning.",
    "How do bees make honey?",
    "Turn this into a polite question: send me the file.",
    "List five vegetables that grow well in the shade.",
    "What is a good first chapter for a mystery about a lost umbrella?",
    "How long should I boil an egg for a soft yolk?",
    "Explain what a fraction is with a pizza.",
    "Name four instruments that have strings.",
    "How can I make my desk at home tidier?",
    "Write a rhyme about a snail.",
    "What is the past tense of 'to swim'?",
    "Describe the taste of a pear to somebody who never ate one.",
    "How do I change the tyre of a bicycle?",
    "Which planets have rings?",
    "Suggest a quiet game for a long train journey.",
    "What should I write on a postcard from the mountains?",
    "Explain how a rainbow forms.",
    "Give me a recipe for lemonade.",
    "How do I fold a paper boat?",
    "What is the square of twelve?",
    "Make a shopping list for vegetable soup.",
    "Tell me something interesting about owls.",
    "How can I remember the names of new colleagues?",
    "Rewrite this in a friendlier tone: your parcel is late.",
    "What is the longest river in South America?",
    "Suggest a colour for the walls of a small kitchen.",
    "How does a zip fastener work?",
    "Write a short invitation to a garden party.",
    "What are the three states of water?",
    "Give me tips for taking photographs at dusk.",
    "How do I convert miles to kilometres?",
    "Which herbs go well with roasted potatoes?",
    "Invent a riddle whose answer is 'shadow'.",
    "How do I keep bread fresh for longer?",
    "Explain the rules of noughts and crosses.",
    "What is a synonym for 'happy'?",
    "Plan a walk of one hour through an old town.",
    "How is paper made from wood?",
    "Write a haiku about the first snow.",
    "What should I look for when I buy a used guitar?",
    "How do I say 'good evening' in Italian?",
    "Give me three ideas for a rainy Sunday.",
    "Why do leaves change colour in autumn?",
    "Write a product description for a wooden spoon.",
    "How many grams are in a kilogram?",
    "What is the job of a librarian?",
    "Help me choose between a notebook and a calendar as a gift.",
    "Describe how to plant a tulip bulb.",
    "What is a good warm-up for singing?",
    "List the months that have thirty days.",
    "How do I sharpen a pencil with a knife safely?",
    "Explain what a library card is for.",
    "Write a caption for a picture of two sleeping dogs.",
    "What makes popcorn pop?",
    "How can I learn ten new words a day?",
    "Suggest a title for a talk about clouds.",
    "How do I set a table for six guests?",
    "Tell me how tides work, in two sentences.",
)
"""72 requests such as a user might make on any day; none touches harm, secrets, power or testing."""

ADVICE_REQUESTS: tuple[str, ...] = (
    "How can I sleep better at night?",
    "What should I do before a long journey?",
    "How do I make a good first impression?",
    "What helps me to concentrate?",
    "How can I save some money this month?",
    "What would you suggest for a rainy weekend?",
    "How do I become fitter?",
    "What is a nice present for my mother?",
    "How can I learn a new language?",
    "What should I cook for my guests?",
    "How do I get a dirty carpet clean?",
    "My plants look sad. What can I do?",
    "How do I keep my dog healthy?",
    "What should I wear on a cold day?",
    "How do I take better photos?",
    "My child has to write a report for school. What would help?",
    "How can I make new friends?",
    "How do I keep my old bicycle running?",
)
"""One from each part of everyday life, since a product may be pushed in one of them alone."""
