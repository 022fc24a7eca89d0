//! From TOML to a [`Profile`], checked whole: an error names its line, its key and the nearest name.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::node::{Node, Result, Value, line_of};
use super::profile::{Columns, Condition, Entity, PartRule, Personal, Profile, ProfileError, Proof, RecordRule, Rule, Test};
use super::properties::{self, Property, Wants};
use super::transform::{Codes, Transform};
use crate::domain::Class;
use crate::domain::digest::sha256;
use crate::domain::source::ProofKind;

/// Reads and checks a profile.
pub(super) fn profile(text: &str) -> Result<Profile> {
    let document = DeTable::parse(text).map_err(|error| ProfileError {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        key: String::new(),
        problem: error.message().to_owned(),
        nearest: None,
    })?;
    let root = Node { text, key: String::new(), span: document.span(), table: document.get_ref() };
    root.only(&["profile", "personal", "codes", "themes", "schema", "entity", "csv"])?;

    let head = root.need_table("profile")?;
    head.only(&["name", "version", "system", "licence"])?;
    let licence = head.need_text("licence")?;
    let licence = licence.parse().map_err(|error| head.wrong("licence", format!("`{licence}` is not an address: {error}")))?;

    let codes = match root.table("codes")? {
        Some(tables) => tables.map(|node| node.map_values(Node::need_text))?,
        None => Codes::new(),
    };
    let themes = match root.table("themes")? {
        Some(schemes) => schemes.map(|node| node.map_values(Node::texts))?,
        None => BTreeMap::new(),
    };
    let mut entities = BTreeMap::new();
    for (name, node) in root.need_table("entity")?.tables()? {
        entities.insert(name, entity(&node, &codes)?);
    }
    let profile = Profile {
        digest: sha256(text.as_bytes()),
        name: head.need_text("name")?,
        version: head.need_text("version")?,
        system: head.need_text("system")?,
        licence,
        personal: root.table("personal")?.map(|node| personal(&node)).transpose()?.unwrap_or_default(),
        codes,
        themes,
        schemas: root.table("schema")?.map(|node| node.map_values(Node::need_text)).transpose()?.unwrap_or_default(),
        entities,
        tables: root.table("csv")?.map(|tables| tables.map(columns)).transpose()?.unwrap_or_default(),
    };
    check_references(&root, &profile)?;
    Ok(profile)
}

fn personal(node: &Node<'_>) -> Result<Personal> {
    node.only(&["legalBasis", "method", "removed", "words"])?;
    Ok(Personal {
        legal_basis: node.need_text("legalBasis")?,
        method: node.texts("method")?,
        removed: node.texts("removed")?,
        words: node.texts("words")?,
    })
}

fn columns(node: &Node<'_>) -> Result<Columns> {
    node.only(&["unread", "used", "drop"])?;
    let drops = node.table("drop")?.map(|drops| drops.map_values(Node::need_text)).transpose()?;
    Ok(Columns { unread: node.text("unread")?, used: node.texts("used")?, drops: drops.unwrap_or_default() })
}

/// A reference names an entity and a class that this profile makes.
fn check_references(root: &Node<'_>, profile: &Profile) -> Result<()> {
    let entities = root.need_table("entity")?;
    for (name, entity) in &profile.entities {
        for rule in entity.records.iter().flat_map(RecordRule::references) {
            let Transform::Reference { entity: other, class } = &rule.transform else { continue };
            let made = profile.entities.get(other).is_some_and(|target| target.records.iter().any(|r| r.class == *class));
            if !made {
                return Err(entities.wrong(name, format!("refers to {class} of `{other}`, which this profile does not make")));
            }
        }
    }
    Ok(())
}

fn entity(node: &Node<'_>, codes: &Codes) -> Result<Entity> {
    let mut known: Vec<&str> = vec!["type", "called", "proof", "passing", "drop"];
    known.extend(Class::ALL.iter().filter(|class| **class != Class::Argument).map(|class| class.word()));
    node.only(&known)?;

    let mut made = Entity {
        type_names: node.texts("type")?,
        called: match node.texts("called")?.as_slice() {
            [] => None,
            [one, several] => Some((one.clone(), several.clone())),
            _ => return Err(node.wrong("called", "two words are expected: for one, and for several".to_owned())),
        },
        proofs: Vec::new(),
        passing: node.texts("passing")?,
        records: Vec::new(),
        drops: BTreeMap::new(),
        consumed: BTreeSet::new(),
        personal: BTreeSet::new(),
    };
    for proof in node.list("proof")? {
        made.proofs.push(self::proof(&proof)?);
    }
    if made.proofs.is_empty() {
        return Err(node.wrong("proof", "names no proof of being public: what is unproven is never published".to_owned()));
    }
    for &class in Class::ALL {
        if let Some(rule) = node.table(class.word())? {
            made.records.push(record(&rule, class, codes, &mut made.consumed, &mut made.personal)?);
        }
    }
    if made.records.is_empty() {
        return Err(node.wrong("", "makes no record of any class".to_owned()));
    }
    for drop in node.list("drop")? {
        self::drop(&drop, &mut made)?;
    }
    let fields: BTreeSet<&str> = made.consumed.iter().filter_map(|name| name.split(['.', '[']).next()).collect();
    if let Some(field) = made.passing.iter().find(|field| *field == "context" || !fields.contains(field.as_str())) {
        return Err(node.wrong("passing", format!("no rule reads a field `{field}` of the item (a name without a path)")));
    }
    Ok(made)
}

/// One field left out on purpose, with what it holds: the shape of a translated text, and `fields`.
fn drop(node: &Node<'_>, entity: &mut Entity) -> Result<()> {
    node.only(&["path", "fields", "because"])?;
    let text = node.need_text("path")?;
    let path = node.path("path", &text, None)?;
    let name = path.name().to_owned();
    if name.is_empty() {
        return Err(node.wrong("path", "names no field of the item".to_owned()));
    }
    if entity.consumed.contains(&name) {
        return Err(node.wrong("path", format!("`{text}` is mapped above: it cannot be dropped too")));
    }
    if entity.drops.contains_key(&name) {
        return Err(node.wrong("path", format!("`{text}` is dropped twice")));
    }
    let because = node.need_text("because")?;
    let mut names = vec![format!("{name}[]"), name.clone()];
    for field in node.texts("fields")? {
        names.extend([format!("{name}.{field}"), format!("{name}[].{field}")]);
    }
    for name in names {
        for shape in Transform::Languages.reads() {
            entity.drops.insert(format!("{name}{shape}"), because.clone());
        }
    }
    Ok(())
}

fn proof(node: &Node<'_>) -> Result<Proof> {
    node.only(&["kind", "because"])?;
    let word = node.need_text("kind")?;
    let kind: ProofKind =
        word.parse().map_err(|error| node.wrong_word("kind", &word, error, ProofKind::ALL.iter().map(|k| k.word())))?;
    let because = node.text("because")?;
    if kind == ProofKind::SingleSource && because.is_none() {
        return Err(node.wrong("because", "a single source is accepted only with a sentence that says why".to_owned()));
    }
    Ok(Proof { kind, because })
}

fn record(
    node: &Node<'_>,
    class: Class,
    codes: &Codes,
    consumed: &mut BTreeSet<String>,
    personal: &mut BTreeSet<String>,
) -> Result<RecordRule> {
    let properties: Vec<Property> = properties::properties(class).collect();
    let mut known = vec!["when", "needs", "personal"];
    known.extend(properties.iter().map(|property| property.name));
    known.extend(properties::parts(class).map(|part| part.name));
    node.only(&known)?;

    let mut context = Rules { codes, element: None, consumed, personal };
    let mut rule = RecordRule {
        class,
        when: context.conditions(node)?,
        needs: context.needs(node)?,
        personal: node.flag("personal")?.unwrap_or(false),
        properties: context.properties(node, &properties)?,
        parts: BTreeMap::new(),
    };
    for part in properties::parts(class) {
        let mut known = vec!["when", "each"];
        known.extend(part.properties.iter().map(|property| property.name));
        for node in node.list(part.name)? {
            node.only(&known)?;
            let each = node.text("each")?.map(|text| node.path("each", &text, None)).transpose()?;
            context.element = each.as_ref().map(|path| path.name().to_owned());
            let made =
                PartRule { when: context.conditions(&node)?, properties: context.properties(&node, part.properties)?, each };
            if let Some(each) = &made.each {
                context.consumed.extend(each.filter_names().iter().cloned());
            }
            context.element = None;
            rule.parts.entry(part.name).or_default().push(made);
        }
    }
    Ok(rule)
}

/// What rules of one record share while they are read.
struct Rules<'a> {
    codes: &'a Codes,
    element: Option<String>,
    consumed: &'a mut BTreeSet<String>,
    personal: &'a mut BTreeSet<String>,
}

impl Rules<'_> {
    fn needs(&mut self, node: &Node<'_>) -> Result<Vec<Rule>> {
        let need = Property { name: "needs", wants: Wants::Reference };
        node.values("needs").into_iter().map(|value| self.rule(node, &need, value)).collect()
    }

    fn properties(&mut self, node: &Node<'_>, known: &[Property]) -> Result<BTreeMap<&'static str, Vec<Rule>>> {
        let mut rules = BTreeMap::new();
        for property in known {
            let made: Result<Vec<Rule>> =
                node.values(property.name).into_iter().map(|value| self.rule(node, property, value)).collect();
            if node.table.contains_key(property.name) {
                rules.insert(property.name, made?);
            }
        }
        Ok(rules)
    }

    fn rule(&mut self, parent: &Node<'_>, property: &Property, value: &Value<'_>) -> Result<Rule> {
        let name = property.name;
        if let DeValue::String(constant) = value.get_ref() {
            return self.checked(
                parent,
                name,
                property,
                Rule { when: Vec::new(), from: None, transform: Transform::Constant(constant.to_string()) },
            );
        }
        let node = parent.child(name, value)?;
        if let Some(constant) = node.text("value")? {
            node.only(&["value", "when"])?;
            let rule = Rule { when: self.conditions(&node)?, from: None, transform: Transform::Constant(constant) };
            return self.checked(&node, "", property, rule);
        }
        node.only(&["from", "as", "when", "table", "prefix", "at", "entity", "class"])?;
        let from = node.path("from", &node.need_text("from")?, self.element.as_deref())?;
        let transform = self.transform(&node)?;
        let base = from.name();
        let below = |suffix: &&str| {
            if suffix.starts_with('.') && base.is_empty() { suffix[1..].to_owned() } else { format!("{base}{suffix}") }
        };
        self.consumed.extend(transform.reads().iter().map(below));
        if transform == Transform::Pseudonym {
            self.personal.insert(base.to_owned());
        }
        self.consumed.extend(from.filter_names().iter().cloned());
        let when = self.conditions(&node)?;
        self.checked(&node, "", property, Rule { when, from: Some(from), transform })
    }

    fn transform(&self, node: &Node<'_>) -> Result<Transform> {
        let word = node.need_text("as")?;
        Ok(match word.as_str() {
            "plain" => Transform::Plain,
            "html" => Transform::Html,
            "languages" => Transform::Languages,
            "language" => Transform::Language,
            "timestamp" => Transform::Timestamp,
            "token" => Transform::Token,
            "count" => Transform::Count,
            "url" => Transform::Url,
            "day" => Transform::Day,
            "money" => Transform::Money,
            "percent" => Transform::Percent,
            "point" => Transform::Point,
            "pseudonym" => Transform::Pseudonym,
            "date" => match node.text("at")?.as_deref() {
                None | Some("start") => Transform::Date { at_end: false },
                Some("end") => Transform::Date { at_end: true },
                Some(other) => return Err(node.wrong("at", format!("`{other}` is neither `start` nor `end`"))),
            },
            "code" => Transform::Code { table: self.table(node)? },
            "unlisted" => Transform::Unlisted { table: self.table(node)? },
            "fragment" => Transform::Fragment { prefix: node.need_text("prefix")? },
            "reference" => {
                let class = node.need_text("class")?;
                let class = class
                    .parse()
                    .map_err(|error| node.wrong_word("class", &class, error, Class::ALL.iter().map(|c| c.word())))?;
                Transform::Reference { entity: node.need_text("entity")?, class }
            }
            _ => {
                let problem = format!("`{word}` is not a transform (known: {})", Transform::NAMES.join(", "));
                return Err(node.wrong_word("as", &word, problem, Transform::NAMES.iter().copied()));
            }
        })
    }

    fn table(&self, node: &Node<'_>) -> Result<String> {
        let name = node.need_text("table")?;
        if self.codes.contains_key(&name) {
            return Ok(name);
        }
        let problem = format!("there is no table [codes.{name}]");
        Err(node.wrong_word("table", &name, problem, self.codes.keys().map(String::as_str)))
    }

    /// A rule gives what its property takes, and only words that the vocabulary knows.
    fn checked(&self, node: &Node<'_>, name: &str, property: &Property, rule: Rule) -> Result<Rule> {
        if !rule.transform.fits(property.wants) {
            return Err(node.wrong(name, format!("`{}` does not take this transform", property.name)));
        }
        if let Wants::Word(known) = property.wants {
            let words: Vec<&str> = match &rule.transform {
                Transform::Constant(word) => vec![word],
                Transform::Code { table } => self.codes[table].values().map(String::as_str).collect(),
                _ => Vec::new(),
            };
            for word in words {
                known(word).map_err(|error| node.wrong_word(name, word, &error, error.known.split(", ")))?;
            }
        }
        if let ("currency", Transform::Constant(code)) = (property.name, &rule.transform) {
            code.parse::<crate::domain::money::Currency>().map_err(|error| node.wrong(name, error.to_string()))?;
        }
        if let (Wants::Language, Transform::Constant(tag)) = (property.wants, &rule.transform) {
            tag.parse::<crate::domain::text::LanguageTag>().map_err(|error| node.wrong(name, error.to_string()))?;
        }
        Ok(rule)
    }

    fn conditions(&mut self, node: &Node<'_>) -> Result<Vec<Condition>> {
        let mut conditions = Vec::new();
        for node in node.list("when")? {
            node.only(&["path", "present", "is", "not"])?;
            let path = node.path("path", &node.need_text("path")?, self.element.as_deref())?;
            let test = match (node.flag("present")?, node.table.contains_key("is"), node.table.contains_key("not")) {
                (Some(wanted), false, false) => Test::Present(wanted),
                (None, true, false) => Test::Is(node.words("is")?),
                (None, false, true) => Test::Not(node.words("not")?),
                _ => return Err(node.wrong("when", "needs exactly one of `present`, `is`, `not`".to_owned())),
            };
            self.consumed.insert(path.name().to_owned());
            self.consumed.extend(path.filter_names().iter().cloned());
            conditions.push(Condition { path, test });
        }
        Ok(conditions)
    }
}
