"""The paper's user study (section 5, Tables 4 and 5): two double-blind tests on a page, and what they say."""
