//! How a public body is called in a sentence: the place it is named after, and the French words that melt
//! into an article ("au Mans", "de la Région Bretagne", "d'Angers").

use std::borrow::Cow;

/// What is said before the place that it is named after.
const BODIES: [&str; 5] = ["Ville", "Commune", "Mairie", "Municipalité", "City"];
/// Bodies that French names with an article, by their first word.
const FEMININE: [&str; 6] = ["Métropole", "Région", "Communauté", "Collectivité", "Préfecture", "Province"];
const MASCULINE: [&str; 6] = ["Département", "Conseil", "Syndicat", "Pays", "Territoire", "Ministère"];
const ELIDED: [&str; 5] = ["Agglomération", "Eurométropole", "Assemblée", "Établissement", "État"];

/// The place that a public body is named after, for use in a sentence: "Lyon" of "Ville de Lyon", "Le Mans" of
/// "Ville du Mans". A body that is more than its place keeps its whole name.
#[must_use]
pub fn place_of(name: &str) -> Cow<'_, str> {
    let Some(rest) = BODIES.iter().find_map(|body| name.strip_prefix(body)) else { return name.into() };
    for link in [" de ", " d'", " d’", " of "] {
        if let Some(place) = rest.strip_prefix(link).filter(|place| !place.is_empty()) {
            return place.into();
        }
    }
    for (link, article) in [(" du ", "Le"), (" des ", "Les")] {
        if let Some(place) = rest.strip_prefix(link).filter(|place| !place.is_empty()) {
            return format!("{article} {place}").into();
        }
    }
    name.into()
}

/// Writes a name behind the French text before it. `shown` is the name as it is written there, with its tags.
pub(super) fn write_french(text: &mut String, name: &str, shown: &str) {
    for (article, after_of, after_at) in [("Le ", "du ", "au "), ("Les ", "des ", "aux ")] {
        // The article of a place is part of it: it stays behind every other word.
        if name.starts_with(article) {
            let melted = melt(text, "de ", after_of) || melt(text, "à ", after_at);
            text.push_str(&if melted { shown.replacen(article, "", 1) } else { shown.to_owned() });
            return;
        }
    }
    let first = name.split(' ').next().unwrap_or_default();
    let article = [(&FEMININE[..], "la "), (&MASCULINE[..], "le "), (&ELIDED[..], "l'")];
    let article = article.into_iter().find(|(words, _)| words.contains(&first)).map(|(_, article)| article);
    match article.filter(|_| wants_article(text)) {
        Some("le ") if melt(text, "de ", "du ") || melt(text, "à ", "au ") => {}
        Some(article) if text.is_empty() || text.trim_end().ends_with('.') => {
            text.push_str(&article.replacen('l', "L", 1));
        }
        Some(article) => text.push_str(article),
        None if article.is_none() && begins_with_vowel(name) => {
            let _ = melt(text, "de ", "d'") || melt(text, "que ", "qu'");
        }
        None => {}
    }
    text.push_str(shown);
}

/// A body takes its article in a sentence; in brackets and in lists it stands for itself.
fn wants_article(text: &str) -> bool {
    text.trim_end().chars().next_back().is_none_or(|last| last.is_alphanumeric() || matches!(last, '.' | ':' | ';' | '>'))
}

/// Puts `short` for the word `full` that the text ends with.
fn melt(text: &mut String, full: &str, short: &str) -> bool {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    for (full, short) in [(full.to_owned(), short.to_owned()), (capital(full), capital(short))] {
        let before = text.strip_suffix(full.as_str()).map(|before| (before.len(), before.ends_with(char::is_alphanumeric)));
        if let Some((length, false)) = before {
            text.truncate(length);
            text.push_str(&short);
            return true;
        }
    }
    false
}

fn begins_with_vowel(name: &str) -> bool {
    name.starts_with(|c: char| "AEIOUYÉÈÊÎÔaeiouyéèêîô".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_called_by_its_place() {
        for (name, place) in [
            ("Ville de Lyon", "Lyon"),
            ("Ville d'Angers", "Angers"),
            ("Ville de La Rochelle", "La Rochelle"),
            ("Ville du Mans", "Le Mans"),
            ("Commune des Lilas", "Les Lilas"),
            ("City of Lyon", "Lyon"),
            ("Métropole de Lyon", "Métropole de Lyon"),
            ("Région Bretagne", "Région Bretagne"),
            ("Villeurbanne", "Villeurbanne"),
            ("Ville de ", "Ville de "),
        ] {
            assert_eq!(place_of(name), place);
        }
    }

    #[test]
    fn french_words_melt_into_the_article() {
        let write = |before: &str, name: &str| {
            let mut text = before.to_owned();
            write_french(&mut text, name, &format!("<bdi>{name}</bdi>"));
            text.replace("<bdi>", "").replace("</bdi>", "")
        };
        for (before, name, text) in [
            ("La participation à ", "Lyon", "La participation à Lyon"),
            ("La participation à ", "Le Mans", "La participation au Mans"),
            ("La participation à ", "Les Lilas", "La participation aux Lilas"),
            ("La participation à ", "Métropole de Lyon", "La participation à la Métropole de Lyon"),
            ("La participation à ", "Département du Rhône", "La participation au Département du Rhône"),
            ("La participation à ", "La Rochelle", "La participation à La Rochelle"),
            ("Copies de ", "Angers", "Copies d'Angers"),
            ("De ", "Angers", "D'Angers"),
            ("De ", "Le Mans", "Du Mans"),
            ("Copies de ", "Région Bretagne", "Copies de la Région Bretagne"),
            ("Copies de ", "Eurométropole de Strasbourg", "Copies de l'Eurométropole de Strasbourg"),
            ("ce que ", "Angers", "ce qu'Angers"),
            ("ce que ", "Le Mans", "ce que Le Mans"),
            ("publié par ", "Métropole de Lyon", "publié par la Métropole de Lyon"),
            ("Mode ", "Angers", "Mode Angers"),
            ("", "Métropole de Lyon", "La Métropole de Lyon"),
            ("", "Le Mans", "Le Mans"),
            ("Contribution, ", "Métropole de Lyon", "Contribution, Métropole de Lyon"),
            ("Contribution (", "Métropole de Lyon", "Contribution (Métropole de Lyon"),
        ] {
            assert_eq!(write(before, name), text);
        }
    }
}
