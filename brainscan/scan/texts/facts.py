"""Plain facts with plausible wrong alternatives: capitals, chemical elements, small sums.

Public-domain knowledge written down by hand for this project. Contested capitals are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CAPITALS = """
Afghanistan:Kabul Albania:Tirana Algeria:Algiers Andorra:Andorra_la_Vella Angola:Luanda Argentina:Buenos_Aires
Armenia:Yerevan Australia:Canberra Austria:Vienna Azerbaijan:Baku Bahrain:Manama Bangladesh:Dhaka Barbados:Bridgetown
Belarus:Minsk Belgium:Brussels Belize:Belmopan Bhutan:Thimphu Botswana:Gaborone Brazil:Brasilia Bulgaria:Sofia
Burkina_Faso:Ouagadougou Cambodia:Phnom_Penh Cameroon:Yaounde Canada:Ottawa Chad:N'Djamena Chile:Santiago
China:Beijing Colombia:Bogota Costa_Rica:San_Jose Croatia:Zagreb Cuba:Havana Cyprus:Nicosia Denmark:Copenhagen
Dominica:Roseau Ecuador:Quito Egypt:Cairo El_Salvador:San_Salvador Eritrea:Asmara Estonia:Tallinn Ethiopia:Addis_Ababa
Fiji:Suva Finland:Helsinki France:Paris Gabon:Libreville Gambia:Banjul Georgia:Tbilisi Germany:Berlin Ghana:Accra
Greece:Athens Grenada:Saint_George's Guatemala:Guatemala_City Guinea:Conakry Guyana:Georgetown Haiti:Port-au-Prince
Honduras:Tegucigalpa Hungary:Budapest Iceland:Reykjavik India:New_Delhi Iran:Tehran Iraq:Baghdad Ireland:Dublin
Italy:Rome Jamaica:Kingston Japan:Tokyo Jordan:Amman Kenya:Nairobi Kuwait:Kuwait_City Kyrgyzstan:Bishkek
Laos:Vientiane Latvia:Riga Lebanon:Beirut Lesotho:Maseru Liberia:Monrovia Libya:Tripoli Liechtenstein:Vaduz
Lithuania:Vilnius Luxembourg:Luxembourg Madagascar:Antananarivo Malawi:Lilongwe Malaysia:Kuala_Lumpur Maldives:Male
Mali:Bamako Malta:Valletta Mauritania:Nouakchott Mauritius:Port_Louis Mexico:Mexico_City Moldova:Chisinau
Monaco:Monaco Mongolia:Ulaanbaatar Montenegro:Podgorica Morocco:Rabat Mozambique:Maputo Namibia:Windhoek
Nepal:Kathmandu New_Zealand:Wellington Nicaragua:Managua Niger:Niamey Nigeria:Abuja North_Korea:Pyongyang
North_Macedonia:Skopje Norway:Oslo Oman:Muscat Pakistan:Islamabad Panama:Panama_City Papua_New_Guinea:Port_Moresby
Paraguay:Asuncion Peru:Lima Philippines:Manila Poland:Warsaw Portugal:Lisbon Qatar:Doha Romania:Bucharest
Russia:Moscow Rwanda:Kigali Samoa:Apia San_Marino:San_Marino Saudi_Arabia:Riyadh Senegal:Dakar Serbia:Belgrade
Seychelles:Victoria Sierra_Leone:Freetown Singapore:Singapore Slovakia:Bratislava Slovenia:Ljubljana
Solomon_Islands:Honiara Somalia:Mogadishu South_Korea:Seoul South_Sudan:Juba Spain:Madrid Sudan:Khartoum
Suriname:Paramaribo Sweden:Stockholm Switzerland:Bern Syria:Damascus Taiwan:Taipei Tajikistan:Dushanbe
Thailand:Bangkok Togo:Lome Tonga:Nuku'alofa Tunisia:Tunis Turkey:Ankara Turkmenistan:Ashgabat Uganda:Kampala
Ukraine:Kyiv United_Kingdom:London United_States:Washington Uruguay:Montevideo Uzbekistan:Tashkent Vanuatu:Port_Vila
Venezuela:Caracas Vietnam:Hanoi Yemen:Sanaa Zambia:Lusaka Zimbabwe:Harare
"""

_ELEMENTS = """
hydrogen:H:1 helium:He:2 lithium:Li:3 beryllium:Be:4 boron:B:5 carbon:C:6 nitrogen:N:7 oxygen:O:8 fluorine:F:9
neon:Ne:10 sodium:Na:11 magnesium:Mg:12 aluminum:Al:13 silicon:Si:14 phosphorus:P:15 sulfur:S:16 chlorine:Cl:17
argon:Ar:18 potassium:K:19 calcium:Ca:20 scandium:Sc:21 titanium:Ti:22 vanadium:V:23 chromium:Cr:24 manganese:Mn:25
iron:Fe:26 cobalt:Co:27 nickel:Ni:28 copper:Cu:29 zinc:Zn:30 gallium:Ga:31 germanium:Ge:32 arsenic:As:33
selenium:Se:34 bromine:Br:35 krypton:Kr:36 rubidium:Rb:37 strontium:Sr:38 yttrium:Y:39 zirconium:Zr:40 niobium:Nb:41
molybdenum:Mo:42 ruthenium:Ru:44 rhodium:Rh:45 palladium:Pd:46 silver:Ag:47 cadmium:Cd:48 indium:In:49 tin:Sn:50
antimony:Sb:51 tellurium:Te:52 iodine:I:53 xenon:Xe:54 cesium:Cs:55 barium:Ba:56 tungsten:W:74 platinum:Pt:78
gold:Au:79 mercury:Hg:80 thallium:Tl:81 lead:Pb:82 bismuth:Bi:83 radon:Rn:86 radium:Ra:88 thorium:Th:90 uranium:U:92
"""


@dataclass(frozen=True)
class Fact:
    """One question in words with its right answer and plausible wrong ones of the same kind."""

    kind: str
    """Template that it comes from: capital, symbol, number, sum. Facts of one kind are not independent wordings."""
    subject: str
    """What it is about: France, gold, 17 + 25."""
    question: str
    right: str
    wrong: tuple[str, ...]
    """Three alternatives, most plausible first."""
    begun: str
    """How an answer begins, up to the word that decides: "The capital of France is"."""


@dataclass(frozen=True)
class Capital:
    """A country with its capital; ``wrong`` are capitals of other countries, never its own."""

    country: str
    capital: str
    wrong: tuple[str, ...]

    def fact(self) -> Fact:
        """As a question."""
        begun = f"The capital of {self.country} is"
        return Fact("capital", self.country, f"What is the capital of {self.country}?", self.capital, self.wrong, begun)


@dataclass(frozen=True)
class Element:
    """A chemical element; ``wrong_symbols`` and ``wrong_numbers`` belong to its neighbours in the table."""

    name: str
    symbol: str
    number: int
    wrong_symbols: tuple[str, ...]
    wrong_numbers: tuple[int, ...]

    def symbol_fact(self) -> Fact:
        """Its symbol as a question."""
        question = f"What is the chemical symbol of {self.name}?"
        begun = f"The chemical symbol of {self.name} is"
        return Fact("symbol", self.name, question, self.symbol, self.wrong_symbols, begun)

    def number_fact(self) -> Fact:
        """Its atomic number as a question."""
        wrong = tuple(str(number) for number in self.wrong_numbers)
        question, begun = f"What is the atomic number of {self.name}?", f"The atomic number of {self.name} is"
        return Fact("number", self.name, question, str(self.number), wrong, begun)


def sums(count: int, *, seed: int, largest: int = 50) -> tuple[Fact, ...]:
    """Different additions of two numbers from 2 to ``largest``, wrong by 1, 2 or 10; the same for the same seed."""
    rng = np.random.default_rng([seed, largest])
    pairs = [(a, b) for a in range(2, largest + 1) for b in range(a, largest + 1)]
    chosen = rng.choice(len(pairs), size=min(count, len(pairs)), replace=False)
    return tuple(_sum(*pairs[int(i)]) for i in chosen)


def _sum(a: int, b: int) -> Fact:
    wrong = tuple(str(a + b + off) for off in (1, 10, 2))
    return Fact("sum", f"{a} + {b}", f"What is {a} + {b}?", str(a + b), wrong, f"{a} + {b} is")


def _capitals() -> tuple[Capital, ...]:
    pairs = [entry.replace("_", " ").split(":") for entry in _CAPITALS.split()]
    pairs = [pair for pair in pairs if pair[0] not in pair[1] and pair[1] not in pair[0]]  # the question answers itself
    names = [capital for _, capital in pairs]
    return tuple(Capital(land, city, _after(names, i, (7, 23, 58))) for i, (land, city) in enumerate(pairs))


def _elements() -> tuple[Element, ...]:
    rows = [entry.split(":") for entry in _ELEMENTS.split()]
    symbols, numbers = [row[1] for row in rows], [row[2] for row in rows]
    return tuple(
        Element(
            name,
            symbol,
            int(number),
            _after(symbols, i, (1, 3, 8)),
            tuple(int(wrong) for wrong in _after(numbers, i, (1, 2, 6))),
        )
        for i, (name, symbol, number) in enumerate(rows)
    )


def _after(names: list[str], at: int, steps: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(names[(at + step) % len(names)] for step in steps)


CAPITALS: tuple[Capital, ...] = _capitals()
"""Countries whose capital does not repeat the country's name, in alphabetical order."""

ELEMENTS: tuple[Element, ...] = _elements()
"""Chemical elements by atomic number."""
