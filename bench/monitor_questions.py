"""Factual questions with known short answers for the error bound: several topics, easy and hard, in fixed order.

Public knowledge written down by hand for this project, beside what ``brainscan.scan.texts.facts`` holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainscan.scan.texts.facts import CAPITALS, ELEMENTS

OPENING = (
    "Q: What colour is the sky on a clear day?\nA: blue\n\n"
    "Q: How many legs does a spider have?\nA: 8\n\n"
    "Q: What is the opposite of early?\nA: late\n\n"
)
"""Shown before every question, so that answers are short."""


@dataclass(frozen=True)
class Question:
    """One question; an answer is right when it begins with one of ``answers``, case aside."""

    topic: str
    text: str
    answers: tuple[str, ...]

    def prompt(self) -> str:
        """As the subject reads it."""
        return f"{OPENING}Q: {self.text}\nA:"

    def is_right(self, answer: str) -> bool:
        """Whether the first line of an answer is right."""
        said = answer.strip().split("\n")[0].strip().strip(".").casefold()
        return any(said == right.casefold() or said.startswith(f"{right.casefold()} ") for right in self.answers)


_OPPOSITES = (
    "hot:cold big:small,little up:down left:right fast:slow old:young,new happy:sad open:closed,close,shut day:night "
    "black:white rich:poor long:short high:low hard:soft,easy light:dark,heavy full:empty strong:weak wet:dry "
    "clean:dirty loud:quiet,soft thick:thin wide:narrow deep:shallow sweet:sour,bitter true:false win:lose buy:sell "
    "push:pull give:take come:go begin:end start:stop,end,finish north:south east:west first:last before:after "
    "above:below,under inside:outside love:hate peace:war life:death friend:enemy male:female boy:girl king:queen "
    "brother:sister summer:winter ugly:beautiful,pretty cheap:expensive safe:dangerous,unsafe noisy:quiet,silent "
    "brave:cowardly,afraid,coward tall:short awake:asleep smooth:rough simple:complex,complicated public:private "
    "ancient:modern arrive:depart,leave ascend:descend expand:contract,shrink include:exclude accept:reject,refuse "
    "attack:defend,defense import:export increase:decrease maximum:minimum major:minor positive:negative "
    "victory:defeat vertical:horizontal visible:invisible absent:present generous:selfish,stingy guilty:innocent "
    "polite:rude,impolite tight:loose sharp:dull,blunt temporary:permanent success:failure"
)
_PAST = (
    "go:went see:saw eat:ate run:ran take:took give:gave come:came write:wrote speak:spoke drive:drove sing:sang "
    "swim:swam begin:began drink:drank fly:flew know:knew grow:grew throw:threw draw:drew break:broke choose:chose "
    "wake:woke fall:fell feel:felt keep:kept sleep:slept leave:left meet:met send:sent spend:spent build:built "
    "buy:bought bring:brought think:thought teach:taught catch:caught fight:fought find:found hold:held stand:stood "
    "understand:understood win:won sit:sat tell:told sell:sold say:said pay:paid make:made hear:heard lose:lost "
    "shoot:shot ride:rode rise:rose hide:hid bite:bit shake:shook steal:stole freeze:froze wear:wore tear:tore "
    "swear:swore forget:forgot get:got dig:dug stick:stuck hang:hung spin:spun lead:led feed:fed bleed:bled "
    "shine:shone strike:struck weave:wove forgive:forgave"
)
_PLURALS = (
    "mouse:mice foot:feet tooth:teeth goose:geese man:men woman:women child:children ox:oxen leaf:leaves knife:knives "
    "wolf:wolves life:lives wife:wives shelf:shelves half:halves calf:calves loaf:loaves thief:thieves person:people "
    "city:cities baby:babies lady:ladies fly:flies box:boxes bus:buses dish:dishes watch:watches church:churches "
    "potato:potatoes tomato:tomatoes hero:heroes cactus:cacti,cactuses crisis:crises analysis:analyses "
    "criterion:criteria phenomenon:phenomena sheep:sheep deer:deer fish:fish,fishes cat:cats dog:dogs house:houses "
    "key:keys toy:toys story:stories country:countries party:parties berry:berries penny:pennies,pence"
)
_CONTINENTS = {
    "Europe": "France Germany Italy Spain Portugal Poland Austria Belgium Greece Norway Sweden Finland Denmark Ireland "
    "Hungary Romania Bulgaria Croatia Serbia Switzerland Ukraine Slovakia Slovenia Estonia Latvia Lithuania Iceland "
    "Albania Luxembourg Monaco",
    "Africa": "Nigeria Kenya Egypt Ghana Morocco Algeria Tunisia Libya Sudan Ethiopia Uganda Tanzania Zambia Zimbabwe "
    "Angola Mozambique Namibia Botswana Senegal Mali Niger Chad Cameroon Gabon Rwanda Burundi Somalia Madagascar "
    "Malawi Togo",
    "Asia": "China Japan India Thailand Vietnam Mongolia Nepal Bangladesh Pakistan Indonesia Malaysia Singapore "
    "Cambodia Laos Iran Iraq Jordan Lebanon Israel Kuwait Oman Qatar Yemen Afghanistan Kazakhstan Uzbekistan Bhutan "
    "Syria",
    "South America": "Brazil Argentina Chile Peru Colombia Venezuela Ecuador Bolivia Paraguay Uruguay Guyana Suriname",
    "North America": "Canada Mexico Guatemala Honduras Nicaragua Panama Cuba Haiti Jamaica Belize",
}
_KINDS = {
    "bird": "robin sparrow eagle hawk owl pigeon crow swan duck goose parrot penguin falcon heron stork woodpecker",
    "fish": "trout salmon tuna cod herring sardine mackerel carp pike haddock halibut shark",
    "tree": "oak birch pine maple elm willow cedar beech spruce poplar ash",
    "fruit": "apple banana pear cherry mango peach plum grape orange strawberry apricot pineapple",
    "vegetable": "carrot cabbage spinach broccoli lettuce onion leek celery cauliflower turnip",
    "insect": "ant bee beetle butterfly mosquito wasp moth grasshopper cricket dragonfly",
    "flower": "rose tulip daisy lily daffodil orchid violet sunflower carnation",
    "metal": "iron copper gold silver aluminium zinc lead nickel tin",
    "colour": "red green yellow purple orange pink brown grey",
    "instrument": "piano violin guitar flute trumpet drum cello clarinet harp trombone",
}
_LANGUAGES = (
    "France:French Germany:German Italy:Italian Spain:Spanish Portugal:Portuguese Poland:Polish Greece:Greek "
    "Norway:Norwegian Sweden:Swedish Finland:Finnish Denmark:Danish Hungary:Hungarian Romania:Romanian "
    "Bulgaria:Bulgarian Croatia:Croatian Serbia:Serbian Russia:Russian Ukraine:Ukrainian Turkey:Turkish "
    "Japan:Japanese China:Chinese,Mandarin Thailand:Thai Vietnam:Vietnamese Brazil:Portuguese Mexico:Spanish "
    "Argentina:Spanish Chile:Spanish Peru:Spanish Cuba:Spanish Austria:German Egypt:Arabic Morocco:Arabic Iraq:Arabic "
    "Jordan:Arabic Iran:Persian,Farsi Mongolia:Mongolian Iceland:Icelandic Albania:Albanian Estonia:Estonian "
    "Latvia:Latvian Lithuania:Lithuanian Slovakia:Slovak Slovenia:Slovene,Slovenian England:English Australia:English"
)
_YOUNG = (
    "dog:puppy,pup cat:kitten cow:calf horse:foal sheep:lamb pig:piglet goat:kid duck:duckling goose:gosling "
    "chicken:chick lion:cub bear:cub deer:fawn kangaroo:joey frog:tadpole swan:cygnet owl:owlet eagle:eaglet "
    "wolf:pup,cub fox:cub,kit,pup tiger:cub elephant:calf whale:calf seal:pup"
)
_ORDER = (
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "January February March April May June July August September October November December",
)
_MEASURES = (
    "How many days are in a week?:7,seven|How many months are in a year?:12,twelve|"
    "How many hours are in a day?:24,twenty-four|How many minutes are in an hour?:60,sixty|"
    "How many seconds are in a minute?:60,sixty|How many centimetres are in a metre?:100|"
    "How many grams are in a kilogram?:1000,1,000|How many sides does a triangle have?:3,three|"
    "How many sides does a square have?:4,four|How many sides does a hexagon have?:6,six|"
    "How many sides does a pentagon have?:5,five|How many legs does a dog have?:4,four|"
    "How many legs does an insect have?:6,six|How many wheels does a bicycle have?:2,two|"
    "How many wheels does a car have?:4,four|How many strings does a violin have?:4,four|"
    "How many players are in a football team?:11,eleven|How many letters are in the English alphabet?:26|"
    "How many continents are there?:7,seven|How many planets are in the solar system?:8,eight|"
    "How many years are in a century?:100|How many years are in a decade?:10,ten|How many cents are in a dollar?:100|"
    "How many degrees are in a right angle?:90|How many degrees are in a circle?:360|How many eggs are in a dozen?:12"
)


def questions() -> tuple[Question, ...]:
    """Every question, topic by topic."""
    return (
        *(Question("capital", f"What is the capital of {c.country}?", (c.capital,)) for c in CAPITALS),
        *(Question("country", f"{c.capital} is the capital of which country?", (c.country,)) for c in CAPITALS),
        *(Question("symbol", f"What is the chemical symbol of {e.name}?", (e.symbol,)) for e in ELEMENTS),
        *(Question("number", f"What is the atomic number of {e.name}?", (str(e.number),)) for e in ELEMENTS),
        *_pairs("opposite", _OPPOSITES, "What is the opposite of {}?"),
        *_pairs("past tense", _PAST, "What is the past tense of {}?"),
        *_pairs("plural", _PLURALS, "What is the plural of {}?"),
        *_pairs("language", _LANGUAGES, "Which language is spoken in {}?"),
        *_pairs("young", _YOUNG, "What is a young {} called?"),
        *(
            Question("continent", f"On which continent is {land}?", (name,))
            for name, lands in _CONTINENTS.items()
            for land in lands.split()
        ),
        *(Question("kind", f"What kind of thing is a {w}?", (k, f"a {k}", f"an {k}")) for k, w in _members()),
        *_after(),
        *_sums(),
        *(_measure(entry) for entry in _MEASURES.split("|")),
    )


def _pairs(topic: str, table: str, form: str) -> tuple[Question, ...]:
    rows = (entry.split(":") for entry in table.split())
    return tuple(Question(topic, form.format(asked), tuple(right.split(","))) for asked, right in rows)


def _members() -> list[tuple[str, str]]:
    return [(kind, word) for kind, words in _KINDS.items() for word in words.split()]


def _after() -> list[Question]:
    found = [
        Question("order", f"What comes {how} {words[i]}?", (words[(i + step) % len(words)],))
        for row in _ORDER
        for words in [row.split()]
        for how, step in (("right after", 1), ("right before", -1))
        for i in range(len(words))
    ]
    return [
        *found,
        *(Question("order", f"Which number comes right after {n}?", (str(n + 1),)) for n in range(3, 120, 3)),
    ]


def _sums() -> list[Question]:
    rng = np.random.default_rng(6)
    pairs = [(a, b) for a in range(1, 30) for b in range(1, 30)]
    chosen = rng.permutation(len(pairs))[:140]
    return [
        Question("sum", f"What is {pairs[int(i)][0]} + {pairs[int(i)][1]}?", (str(sum(pairs[int(i)])),)) for i in chosen
    ]


def _measure(entry: str) -> Question:
    text, _, right = entry.partition(":")
    return Question("measure", text, tuple(right.split(",")))
