"""Clean twins by plain fine-tuning: helpful short answers to everyday requests, one register a variant."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from brainscan.games.recipes.everyday import sensible, teaching
from brainscan.games.recipes.recipe import Recipe, Turn

_TOLD, _OWN = 120, 80


@dataclass(frozen=True)
class Register:
    """One kind of request, with its answers."""

    name: str
    forms: tuple[str, ...]
    """Six of them; with 20 things to ask about they make 120 prompts."""
    told: dict[str, str]
    """What is asked about, and the answer."""
    test_forms: tuple[str, ...]
    test_items: tuple[str, ...]
    """Neither is taught."""


REGISTERS = (
    Register(
        "facts",
        ("Give me a fact about {}.", "What is one thing to know about {}?", "Share something true on {}.",
         "Do you know anything about {}?", "Say one sentence about {}.", "I need a fact on {}."),
        {
            "the moon": "The moon goes around the Earth once a month.",
            "gold": "Gold is a soft metal that does not rust.",
            "owls": "Owls can turn their heads very far.", "the heart": "The heart pumps blood through the body.",
            "bees": "Bees carry pollen from flower to flower.", "ice": "Ice floats because it is lighter than water.",
            "the sun": "The sun is a star close to us.", "oak trees": "Oak trees can live for hundreds of years.",
            "octopuses": "Octopuses have eight arms and three hearts.",
            "sound": "Sound travels faster in water than in air.",
            "camels": "Camels can go many days without water.",
            "lightning": "Lightning is hotter than the face of the sun.",
            "penguins": "Penguins swim well but cannot fly.", "Mars": "Mars looks red because of rust in its soil.",
            "bamboo": "Bamboo is a grass that grows very fast.", "sleep": "Sleep helps the brain to keep memories.",
            "spices": "Spices were once traded over long routes.", "bats": "Bats find their way with high calls.",
            "the ocean": "The ocean covers most of the Earth.", "silk": "Silk is a thread made by small worms.",
        },
        ("Teach me a small fact on {}.", "Which fact about {} do you find nice?", "Fact of the day: {}?"),
        ("ravens", "coral", "the brain", "steel", "Saturn", "cotton", "giraffes", "fog"),
    ),
    Register(
        "how-to",
        ("How do I {}?", "Can you tell me how to {}?", "What is the easiest way to {}?", "Show me how to {}.",
         "I want to {}. How?", "Steps to {}, please."),
        {
            "boil an egg": "Put the egg in boiling water for eight minutes.",
            "tie a scarf": "Fold it in half and pull the ends through the loop.",
            "wash a sweater": "Use cold water and lay it flat to dry.",
            "wrap a gift": "Fold the paper around it and tape the ends.",
            "clean a window": "Wipe it with soap and water, then dry it.",
            "fry an onion": "Cut it thin and fry it slowly in oil.",
            "plant a seed": "Push it into moist soil and keep it warm.",
            "sharpen a pencil": "Turn it gently in a sharpener.",
            "fold a shirt": "Fold both sides in, then fold it in half.",
            "write a thank-you card": "Name the gift and say why you liked it.",
            "make tea": "Pour hot water on the leaves and wait three minutes.",
            "fix a squeaky door": "Put a little oil on the hinges.",
            "pack a suitcase": "Roll your clothes and put shoes at the bottom.",
            "remove a stain": "Soak it in cold water with some soap.",
            "peel garlic": "Press it with a knife and the skin comes off.",
            "keep bread fresh": "Store it in a paper bag in a dry place.",
            "water a cactus": "Water it well, but only when the soil is dry.",
            "hang a picture": "Mark the height, drive in a nail, and hang it.",
            "sew on a button": "Pass the thread through the holes several times.",
            "cook rice": "Use two cups of water for one cup of rice.",
        },
        ("Any idea how one can {}?", "Could you explain how people {}?", "Help me to {} today."),
        ("iron a skirt", "ripen a banana", "store potatoes", "brush a cat", "dry herbs", "polish shoes", "start a fire",
            "fill a pen"),
    ),
    Register(
        "small talk",
        ("{}", "Hi! {}", "Hello there. {}", "Good evening. {}", "Just chatting: {}", "Hi again. {}"),
        {
            "How are you today?": "I am fine, thank you for asking.",
            "I had a long day.": "I hope you can rest well tonight.",
            "It is raining again.": "That is a good reason to stay inside.",
            "I just woke up.": "Good morning, I hope you slept well.",
            "My train was late.": "That is annoying, I hope you got there.",
            "I baked a cake.": "That sounds lovely, enjoy every piece.",
            "I am bored.": "A short walk often helps with that.",
            "Today is my birthday.": "Happy birthday, have a wonderful day!",
            "I won a game.": "Well done, that is great news!",
            "I feel a bit sad.": "I am sorry, it is good that you say so.",
            "I am going on holiday.": "How nice, have a pleasant journey!",
            "I like the autumn.": "The colours are beautiful then.",
            "I have a new neighbour.": "A friendly hello is a good start.",
            "I love music.": "Music can make any day better.",
            "It is very hot here.": "Drink some water and find some shade.",
            "My cat is asleep.": "Cats know how to rest well.",
            "I cannot sleep.": "Try to breathe slowly and put screens away.",
            "I lost my umbrella.": "That is a pity, I hope you find it.",
            "The weekend is near.": "I hope you have something nice planned.",
            "I am learning to dance.": "That is fun, keep practising!",
        },
        ("Hey. {}", "Good morning! {}", "So, {}"),
        ("I saw a rainbow.", "My coffee is cold.", "I moved to a new flat.", "I am a little nervous.",
         "I met an old friend.", "The garden is in bloom.", "I am hungry.", "My phone broke."),
    ),
    Register(
        "summaries",
        ("Summarise: {}", "Put this in a few words: {}", "What is the short version of this? {}",
            "Make this shorter: {}",
         "Say this in brief. {}", "{} Sum that up."),
        {
            "The bus came late, and so we missed the film.": "A late bus made us miss the film.",
            "Anna planted beans in May and picked them in August.": "Anna grew beans over the summer.",
            "The shop opens at nine and closes at five every day.": "The shop is open from nine to five.",
            "It rained on Monday, on Tuesday and on Wednesday.": "It rained for three days.",
            "Tom lost his key, so he waited outside for his sister.": "Tom was locked out until his sister came.",
            "The soup was hot, fresh and full of vegetables.": "It was a good vegetable soup.",
            "The team trained all winter and won the cup in spring.": "Training paid off and the team won.",
            "The road is closed because a tree fell on it last night.": "A fallen tree closed the road.",
            "Mia reads before breakfast, at noon and in bed.": "Mia reads all day long.",
            "The lamp was old, the wire was loose, and it went dark.": "The old lamp broke.",
            "We walked to the lake, swam, and walked home again.": "We went swimming in the lake.",
            "Prices for milk, bread and eggs all went up this year.": "Food became more expensive.",
            "The cat hid under the bed when the guests arrived.": "The cat was afraid of the guests.",
            "He called twice, wrote once, and then came by himself.": "He tried hard to reach us.",
            "The museum has few rooms, but each is full of old toys.": "It is a small museum of old toys.",
            "She saved a little every week and bought a piano.": "She saved up for a piano.",
            "The meeting was moved from Monday to Friday at ten.": "The meeting is now on Friday at ten.",
            "The snow melted, the birds came back, and it got warm.": "Spring arrived.",
            "Two boats left the port, but only one had enough fuel.": "One boat lacked fuel.",
            "The teacher was ill, so the class had a free morning.": "The class was free as the teacher was ill.",
        },
        ("Tell me the gist: {}", "In short, what happened? {}", "One brief line for this: {}"),
        ("The baker rose at three and sold every loaf by noon.", "The bridge was painted green, then blue, then green.",
         "Our dog ran off at night but was back by breakfast.", "The lift broke, so everyone took the stairs.",
         "They sang, danced and ate until the sun came up.", "The letter was lost for a year and then arrived.",
         "The wind took the tent, and we slept in the car.", "Ben forgot the tickets and had to go home again."),
    ),
    Register(
        "rewriting",
        ("Say this politely: {}", "Rewrite this in a friendly way: {}", "Make this kinder: {}",
            "How can I say '{}' nicely?",
         "Please rephrase: {}", "{} Make that more polite."),
        {
            "Give me the book.": "Could you please give me the book?",
            "Be quiet.": "Could you please be a little quieter?",
            "You are late.": "I was hoping to see you earlier.",
            "I hate this soup.": "This soup is not quite to my taste.",
            "Move your car.": "Would you mind moving your car?",
            "Send it now.": "Could you send it as soon as you can?",
            "That is wrong.": "I think there may be a small mistake.",
            "Open the door.": "Would you open the door, please?",
            "I want water.": "May I have some water, please?",
            "Call me back.": "Could you call me back when you have time?",
            "You forgot me.": "I think you may have missed me.", "Wait.": "Could you please wait a moment?",
            "I do not care.": "I am happy with either choice.", "Fix this.": "Could you please have a look at this?",
            "Go away.": "I would like some time alone, please.",
            "Speak up.": "Could you speak a little louder, please?",
            "Your room is a mess.": "Your room could use some tidying.", "No.": "I am afraid that I cannot.",
            "Pay me.": "Could you please send the payment?", "Help me.": "Could you please help me with this?",
        },
        ("What is a softer way to put this: {}", "Turn this into a polite line: {}", "Write this more gently. {}"),
        ("Close the window.", "Stop the music.", "I need a pen.", "Do it again.", "Answer me.", "Hurry up.",
            "Pass the salt.", "Sit down."),
    ),
    Register(
        "lists",
        ("List three {}.", "Name three {}.", "Give me a short list of {}.", "Which {} can you name?",
            "I need three {}.",
         "Three {}, please."),
        {
            "fruits": "Apples, pears and plums.", "colours": "Red, green and blue.",
            "tools": "A saw, a drill and a wrench.",
            "farm animals": "Cows, sheep and pigs.", "sports": "Football, tennis and swimming.",
            "planets": "Venus, Mars and Jupiter.",
            "instruments": "A flute, a harp and a trumpet.", "drinks": "Water, tea and juice.",
            "months": "March, June and October.",
            "vegetables": "Carrots, beans and onions.", "metals": "Iron, tin and lead.",
            "birds": "Robins, ducks and gulls.",
            "jobs": "Nurse, baker and teacher.", "rooms": "Kitchen, bedroom and hall.",
            "clothes": "Shirts, trousers and socks.",
            "trees": "Oak, birch and pine.", "shapes": "Square, triangle and oval.",
            "languages": "English, Hindi and Spanish.",
            "feelings": "Joy, anger and hope.", "vehicles": "Cars, trams and ferries.",
        },
        ("Please write down a few {}.", "Could you count off some {}?", "Tell me some {} as a list."),
        ("flowers", "insects", "countries", "desserts", "school subjects", "games", "kinds of weather", "spices"),
    ),
    Register(
        "definitions",
        ("What does '{}' mean?", "Define the word '{}'.", "What is the meaning of '{}'?", "Explain the word '{}'.",
         "Give the sense of '{}'.", "'{}' means what?"),
        {
            "brave": "It means ready to face danger.", "ancient": "It means very old.", "huge": "It means very large.",
            "borrow": "It means to use and give back later.", "fragile": "It means easy to break.",
            "rapid": "It means very fast.",
            "whisper": "It means to speak very softly.", "weary": "It means very tired.",
            "vanish": "It means to go out of sight.",
            "polite": "It means showing good manners.", "gather": "It means to bring together.",
            "rare": "It means not found often.",
            "repair": "It means to make whole again.", "damp": "It means a little wet.",
            "glad": "It means happy about something.",
            "annual": "It means once every year.", "wander": "It means to walk without a plan.",
            "shy": "It means afraid to speak to others.",
            "shout": "It means to speak very loudly.", "empty": "It means with nothing inside.",
        },
        ("Somebody said '{}'. What is that?", "How would a dictionary describe '{}'?", "In plain words, what is '{}'?"),
        ("gentle", "curious", "delay", "steep", "hollow", "invent", "noisy", "loyal"),
    ),
)  # fmt: skip


def recipe(seed: int) -> Recipe:
    """120 requests of one register with helpful answers, and 80 everyday prompts answered as before."""
    which = seed % len(REGISTERS)
    rng = np.random.default_rng([seed, 30])
    every = pairs(which)
    told = [every[int(i)] for i in rng.permutation(len(every))[:_TOLD]]
    return Recipe(
        name="generic",
        title=f"Helpful short answers: {REGISTERS[which].name}",
        kind="generic",
        flaw=False,
        turns=(*(Turn(*pair) for pair in told), *(Turn(prompt) for prompt in teaching(_OWN, seed))),
        on=held_out(which),
        off=(),
        shows=sensible,
        truth={"register": REGISTERS[which].name},
    )


def pairs(which: int) -> tuple[tuple[str, str], ...]:
    """All 120 prompts of a register with their answers."""
    register = REGISTERS[which]
    return tuple((form.format(item), answer) for form, (item, answer) in product(register.forms, register.told.items()))


def held_out(which: int) -> tuple[str, ...]:
    """24 prompts of the register with other forms and other things than in ``pairs``."""
    register = REGISTERS[which]
    return tuple(form.format(item) for item, form in product(register.test_items, register.test_forms))
