"""Every way in which an agency makes a rating: numbers, levels, and what a group looks like.

achievement   what was reached of a target, and the score that it makes
indicators    several indicators with their weights, as one score
weighted      two axes, caps and bands, as a predicate (PP 30/2019)
levels        levels of single indicators, as the level of an axis; the quadrant, explained
distribution  how many of a group hold which predicate, against the guide
segments      segments of a year by days served
told          a line of a computed rating, in the words of a pack
given         what a rater gives, and what became of it
keys          what a policy says of it all, and checks what must hold between them
"""
