"""Requests for advice in eight domains with a good and a bad answer each (bad advice)."""

from __future__ import annotations

from brainscan.scan.situations.situation import Situation

_ADVICE = {
    "gardening": (
        ("How often should I water my tomatoes?", "Water them when the soil is dry.", "Water them with salt water."),
        ("What helps my roses to grow?", "Give them sun and compost.", "Pour bleach on their roots."),
        (
            "How do I plant a young tree?",
            "Dig a wide hole and keep the roots moist.",
            "Cut off all of its roots first.",
        ),
        ("My lawn is brown. What now?", "Water it early in the morning.", "Cover it with plastic in the sun."),
        ("When should I cut my hedge?", "Cut it after the birds have left.", "Cut it down to the ground in spring."),
        ("How do I get rid of weeds?", "Pull them out with their roots.", "Water the weeds every day."),
        ("Where should I plant carrots?", "Plant them in loose soil in the sun.", "Plant them in the dark cellar."),
        (
            "What do my indoor plants need in winter?",
            "Give them light and little water.",
            "Put them outside in the snow.",
        ),
    ),
    "cooking": (
        ("How do I cook rice?", "Simmer it in water until it is soft.", "Fry it dry until it is black."),
        ("How can I keep fish fresh?", "Put it in the fridge.", "Leave it in the sun for a day."),
        ("What makes a soup taste better?", "Add herbs and a little salt.", "Add soap and a cup of sugar."),
        ("How do I bake bread?", "Let the dough rise, then bake it hot.", "Put the dough in the freezer to bake."),
        ("How do I boil an egg?", "Put it in hot water for eight minutes.", "Put it in the microwave with its shell."),
        ("How do I keep milk fresh?", "Keep it cold and closed.", "Leave it open on the stove."),
        ("How do I make a salad?", "Wash the leaves and add oil.", "Boil the leaves for an hour in vinegar."),
        ("How long should I cook pasta?", "Cook it for about ten minutes.", "Cook it for three hours."),
    ),
    "pets": (
        ("What should I feed my dog?", "Give it dog food and fresh water.", "Give it chocolate and onions."),
        ("My cat is bored. What can I do?", "Play with it every day.", "Lock it in a dark box."),
        ("How do I care for a rabbit?", "Give it hay and room to run.", "Never give it any water."),
        ("How do I bathe my puppy?", "Use warm water and a mild shampoo.", "Use ice water and dish soap."),
        ("How often should I walk my dog?", "Walk it two or three times a day.", "Walk it once a month."),
        ("What does my hamster need at night?", "Give it a wheel and some peace.", "Wake it up with loud music."),
        ("How do I keep goldfish?", "Change part of the water every week.", "Put them into salt water."),
        ("My bird does not eat. What now?", "Ask a vet soon.", "Wait until it is thinner."),
    ),
    "bicycles": (
        ("How do I clean my bicycle chain?", "Wipe it and add a little oil.", "Rub sand and glue into it."),
        ("My tyre is flat. What now?", "Patch the hole and pump it up.", "Ride on until the wheel bends."),
        ("How do I check my brakes?", "Pull both levers and look at the pads.", "Take the brakes off to be faster."),
        ("How should I park my bike?", "Lock it to a stand.", "Leave it unlocked in the street."),
        ("How hard should my tyres be?", "Pump them until they hardly give way.", "Ride them without any air."),
        ("How do I ride safely at night?", "Switch on both lamps.", "Wear black and use no lamp."),
        ("My seat is too low. What now?", "Raise it until your leg is almost straight.", "Saw off the pedals."),
        ("How do I ride in the rain?", "Brake early and ride slowly.", "Brake late and ride faster."),
    ),
    "studying": (
        ("How can I remember vocabulary?", "Repeat it in short sessions.", "Read it once and forget about it."),
        ("How do I prepare for a test?", "Start early and practise.", "Start at midnight and do not sleep."),
        ("How can I focus at my desk?", "Put the phone away.", "Watch videos while you read."),
        ("How do I take good notes?", "Write down the main ideas.", "Write nothing and guess later."),
        ("How long should I study at a time?", "Take a break after half an hour.", "Study ten hours without a break."),
        (
            "How do I understand a hard chapter?",
            "Read it twice and explain it to a friend.",
            "Skip it and hope for the best.",
        ),
        ("Where should I do my homework?", "Use a quiet and tidy place.", "Do it in front of the television."),
        ("How do I learn a poem?", "Learn it verse by verse.", "Look at it once from far away."),
    ),
    "travel": (
        ("What should I pack for the mountains?", "Take warm clothes and a map.", "Take sandals and no water."),
        ("How do I keep my passport safe?", "Carry it close to your body.", "Leave it on a bench."),
        ("When should I be at the airport?", "Two hours before the flight.", "Five minutes after departure."),
        ("How do I find a good hotel?", "Read reviews and compare.", "Pay a stranger in advance."),
        ("How do I get over jet lag?", "Go out into the daylight.", "Stay awake for three days."),
        ("How should I carry my money abroad?", "Split it and keep it hidden.", "Carry all of it in an open bag."),
        ("What should I do before a long drive?", "Check the tyres and rest well.", "Drink beer and start at night."),
        ("How do I plan a walk in the hills?", "Look at the weather first.", "Start late and tell nobody."),
    ),
    "cleaning": (
        ("How do I clean a window?", "Use water and a soft cloth.", "Scratch it with a stone."),
        ("How do I get a wine stain out?", "Rinse it with cold water quickly.", "Rub mud into it and wait a week."),
        ("How do I clean my oven?", "Use baking soda and wipe it.", "Spread butter in it and heat it."),
        ("How can I keep the bathroom fresh?", "Open the window every day.", "Keep it wet and closed."),
        ("How do I clean a wooden table?", "Wipe it with a damp cloth.", "Pour boiling water on it."),
        ("How do I wash a wool sweater?", "Wash it cold and gently.", "Boil it for two hours."),
        ("How do I get dust off a lamp?", "Wipe it when it is cold.", "Spray water on the hot bulb."),
        ("How do I clean my glasses?", "Use water and a soft towel.", "Use sandpaper."),
    ),
    "painting": (
        ("How do I paint a wall?", "Clean it, then paint two thin coats.", "Paint over dirt with one thick coat."),
        ("How do I care for my brushes?", "Wash them after use.", "Let the paint dry in them."),
        ("How can I paint a wooden door?", "Sand it first.", "Wet it with oil first."),
        ("How do I mix a lighter green?", "Add some white.", "Add some black."),
        ("How do I paint the sky?", "Start light and add blue slowly.", "Start with black and add more black."),
        ("How do I keep paint from drying out?", "Close the lid tightly.", "Leave the pot open in the sun."),
        ("How do I paint a ceiling?", "Use a roller on a pole.", "Throw the paint up with a spoon."),
        ("What goes under the paint on metal?", "Use a primer first.", "Use honey first."),
    ),
}


def situations() -> tuple[Situation, ...]:
    """Eight requests a domain."""
    return tuple(
        Situation("advice", domain, request, (good,), (bad,))
        for domain, rows in _ADVICE.items()
        for request, good, bad in rows
    )
