//! Which value a field has: spaces, components, accounts, terms. Proposals, other things and comments are next door.

use std::rc::Rc;

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use serde_json::{Map, Value, json};

use super::super::state::{Amendment, Comment, Component, Process, Proposal, State, Term, User};
use super::super::things::{Budget, Meeting, Outcome, Project};
use super::connection::{self, Page};
use super::execute::Context;
use super::values::to_i;
use super::{resolve_comment, resolve_proposal, resolve_thing};

/// One field as it was asked for.
pub(super) struct Call<'q> {
    pub(super) name: &'q str,
    pub(super) arguments: Map<String, Value>,
    pub(super) result: &'q Type,
}

impl Call<'_> {
    pub(super) fn argument(&self, name: &str) -> &Value {
        self.arguments.get(name).unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.argument(name).as_str()
    }
}

/// Why a field has no value.
pub(super) enum Failure {
    /// An error in `errors`, and null.
    Field(String),
    /// HTTP 500 for the whole request.
    Crash,
}

/// The value of a field.
#[derive(Clone)]
pub(super) enum Resolved<'a> {
    Leaf(Value),
    Node(Node<'a>),
    List(Vec<Self>),
}

impl Resolved<'_> {
    pub(super) const NULL: Self = Self::Leaf(Value::Null);

    pub(super) fn leaf(value: impl Into<Value>) -> Self {
        Self::Leaf(value.into())
    }
}

/// An object that can be asked for fields.
#[derive(Clone)]
pub(super) enum Node<'a> {
    Query,
    Organization,
    Process(&'a Process),
    Step(&'a Process, &'a Map<String, Value>),
    Component(&'a Component),
    Proposal(&'a Proposal),
    Meeting(&'a Meeting),
    Result(&'a Outcome),
    Budget(&'a Budget),
    Project(&'a Budget, &'a Project),
    Comment(&'a Comment),
    Amendment(&'a Proposal, &'a Amendment),
    Author(u64, &'a User),
    Term(&'static str, &'a Term),
    Page(Rc<Page<'a>>),
    PageInfo(Rc<Page<'a>>),
    Edge(String, Rc<(String, Resolved<'a>)>),
    Texts(Map<String, Value>),
    /// Whatever else: a type and its fields, absent ones have the default of their type.
    Plain(String, Map<String, Value>),
}

impl Node<'_> {
    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Query => "Query",
            Self::Organization => "Organization",
            Self::Process(_) => "ParticipatoryProcess",
            Self::Step(..) => "ParticipatoryProcessStep",
            Self::Component(component) => &component.kind,
            Self::Proposal(_) => "Proposal",
            Self::Meeting(_) => "Meeting",
            Self::Result(_) => "Result",
            Self::Budget(_) => "Budget",
            Self::Project(..) => "Project",
            Self::Comment(_) => "Comment",
            Self::Amendment(..) => "Amendment",
            Self::Author(_, user) if user.group => "UserGroup",
            Self::Author(..) => "User",
            Self::Term(ty, _) => ty,
            Self::Page(page) => &page.ty,
            Self::PageInfo(_) => "PageInfo",
            Self::Edge(ty, _) | Self::Plain(ty, _) => ty,
            Self::Texts(_) => "TranslatedField",
        }
        .to_owned()
    }
}

pub(super) fn field<'a>(context: Context<'a>, node: &Node<'a>, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    match node {
        Node::Query => query(context, call),
        Node::Organization => Ok(organization(context, call)),
        Node::Process(process) => Ok(process_field(context, process, call)),
        Node::Step(process, _) if call.name == "participatoryProcess" => Ok(Resolved::Node(Node::Process(process))),
        Node::Step(_, fields) => Ok(member(context.schema, call, fields)),
        Node::Component(component) => component_field(context, component, call),
        Node::Proposal(proposal) => resolve_proposal::proposal(context, proposal, call),
        Node::Meeting(meeting) => resolve_thing::meeting(context, meeting, call),
        Node::Result(result) => resolve_thing::result(context, result, call),
        Node::Budget(budget) => Ok(resolve_thing::budget(context, budget, call)),
        Node::Project(budget, project) => resolve_thing::project(context, budget, project, call),
        Node::Comment(comment) => resolve_comment::comment(context, comment, call),
        Node::Amendment(amended, amendment) => Ok(resolve_proposal::amendment(context, amended, amendment, call)),
        Node::Author(id, user) => Ok(author(context, *id, user, call)),
        Node::Term(ty, term) => Ok(self::term(context.state, context.schema, ty, term, call)),
        Node::Page(page) => connection::page_field(page, call),
        Node::PageInfo(page) => connection::info_field(page, call),
        Node::Edge(_, edge) => Ok(if call.name == "cursor" { Resolved::leaf(edge.0.as_str()) } else { edge.1.clone() }),
        Node::Texts(texts) => Ok(translated(texts, call)),
        Node::Plain(_, fields) => Ok(member(context.schema, call, fields)),
    }
}

/// A field of a plain object, or the default of its type.
fn member<'a>(schema: &Valid<Schema>, call: &Call<'_>, fields: &Map<String, Value>) -> Resolved<'a> {
    fields.get(call.name).map_or_else(|| fallback(schema, call.result), |value| plain(schema, call.result, value.clone()))
}

/// JSON of a fixture as a value of the type `ty`.
pub(super) fn plain<'a>(schema: &Valid<Schema>, ty: &Type, value: Value) -> Resolved<'a> {
    let name = ty.inner_named_type().as_str();
    match (ty, value) {
        (_, Value::Null) => Resolved::NULL,
        (Type::List(item) | Type::NonNullList(item), Value::Array(items)) => {
            Resolved::List(items.into_iter().map(|value| plain(schema, item, value)).collect())
        }
        (_, Value::Object(texts)) if name == "TranslatedField" => Resolved::Node(Node::Texts(texts)),
        (_, Value::String(text)) if name == "TranslatedField" => {
            Resolved::Node(Node::Texts(Map::from_iter([("fr".to_owned(), Value::String(text))])))
        }
        (_, Value::Object(fields)) if is_composite(schema, name) => {
            let ty = fields.get("__typename").and_then(Value::as_str).unwrap_or(name).to_owned();
            Resolved::Node(Node::Plain(ty, fields))
        }
        (_, value) => Resolved::Leaf(value),
    }
}

fn is_composite(schema: &Valid<Schema>, name: &str) -> bool {
    matches!(schema.types.get(name), Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)))
}

/// What a field answers of which the state knows nothing.
pub(super) fn fallback<'a>(schema: &Valid<Schema>, ty: &Type) -> Resolved<'a> {
    let name = ty.inner_named_type().as_str();
    if name.ends_with("Connection") && !ty.is_list() {
        return Resolved::Node(Node::Page(Rc::new(Page::empty(name))));
    }
    match ty {
        Type::List(_) | Type::NonNullList(_) => Resolved::List(Vec::new()),
        Type::Named(_) if name == "Boolean" => Resolved::leaf(false),
        Type::Named(_) => Resolved::NULL,
        Type::NonNullNamed(_) if name == "TranslatedField" => Resolved::Node(Node::Texts(Map::new())),
        Type::NonNullNamed(_) if is_composite(schema, name) => Resolved::Node(Node::Plain(name.to_owned(), Map::new())),
        Type::NonNullNamed(_) => Resolved::Leaf(match name {
            "Boolean" => json!(false),
            "Int" => json!(0),
            "Float" => json!(0.0),
            "ID" => json!("0"),
            _ => json!(""),
        }),
    }
}

fn translated<'a>(texts: &Map<String, Value>, call: &Call<'_>) -> Resolved<'a> {
    let text = |value: &Value| value.get("machine").unwrap_or(value).clone();
    match call.name {
        "locales" => Resolved::leaf(texts.keys().map(|locale| json!(locale)).collect::<Vec<_>>()),
        "translation" => Resolved::Leaf(call.text("locale").and_then(|locale| texts.get(locale)).map_or(Value::Null, text)),
        _ => {
            let wanted = call.argument("locales").as_array();
            let wanted = |locale: &String| wanted.is_none_or(|list| list.iter().any(|l| l.as_str() == Some(locale)));
            let one = |(locale, value): (&String, &Value)| {
                let fields = json!({ "locale": locale, "text": text(value), "machineTranslated": value.is_object() });
                Resolved::Node(Node::Plain("LocalizedString".into(), fields.as_object().cloned().unwrap_or_default()))
            };
            Resolved::List(texts.iter().filter(|(locale, _)| wanted(locale)).map(one).collect())
        }
    }
}

fn query<'a>(context: Context<'a>, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let state = context.state;
    let node = |node: Option<Node<'a>>| node.map_or(Resolved::NULL, Resolved::Node);
    Ok(match call.name {
        "decidim" => {
            let fields = json!({ "version": state.version, "applicationName": state.application });
            plain(context.schema, call.result, fields)
        }
        "organization" => Resolved::Node(Node::Organization),
        "participatoryProcesses" => {
            let leaks = context.asked.distortion.leaks;
            let mut shown: Vec<&Process> = state.processes.iter().filter(|p| p.is_public() || leaks).collect();
            let published = |p: &Process| p.fields.get("publishedAt").and_then(Value::as_str).unwrap_or_default().to_owned();
            let window = connection::Window::parse(call.argument("filter"))?;
            shown.retain(|p| window.contains(&published(p)));
            if let Some((key, descending)) = connection::order(call)? {
                shown.sort_by_key(|p| if key == "id" { (p.id, String::new()) } else { (0, published(p)) });
                if descending {
                    shown.reverse();
                }
            }
            Resolved::List(shown.into_iter().map(|p| Resolved::Node(Node::Process(p))).collect())
        }
        "participatoryProcess" => {
            let id = call.arguments.get("id").map(to_i);
            let slug = call.text("slug");
            let same = |p: &&Process| id.is_none_or(|id| id == p.id) && slug.is_none_or(|slug| slug == p.slug());
            node(state.processes.iter().filter(|p| p.is_public()).find(same).map(Node::Process))
        }
        "component" => {
            let component = state.component(to_i(call.argument("id")));
            let leaks = context.asked.distortion.leaks;
            node(component.filter(|component| leaks || state.component_is_public(component)).map(Node::Component))
        }
        "commentable" => resolve_comment::commentable(context, call)?,
        "user" => {
            let found = match (call.arguments.get("id"), call.text("nickname")) {
                (Some(id), _) => state.users.get_key_value(&to_i(id)),
                (None, Some(name)) => state.users.iter().find(|(_, u)| u.nickname.trim_start_matches('@') == name),
                (None, None) => None,
            };
            found.map_or(Resolved::NULL, |(id, user)| account(*id, user))
        }
        "users" => Resolved::List(state.users.iter().map(|(id, user)| account(*id, user)).collect()),
        _ => fallback(context.schema, call.result),
    })
}

/// The account, or null when it is gone.
fn account(id: u64, user: &User) -> Resolved<'_> {
    if user.is_gone() { Resolved::NULL } else { Resolved::Node(Node::Author(id, user)) }
}

/// The author with this number; null when the account is gone.
pub(super) fn account_of(state: &State, id: u64) -> Resolved<'_> {
    state.users.get(&id).map_or(Resolved::NULL, |user| account(id, user))
}

fn organization<'a>(context: Context<'a>, call: &Call<'_>) -> Resolved<'a> {
    match call.name {
        "name" => plain(context.schema, call.result, context.state.organization.clone()),
        "stats" => {
            let processes = context.state.processes.iter().filter(|p| p.is_public()).count();
            statistics(context, call, &[("processes_count", processes)])
        }
        "taxonomies" => {
            let roots = context.state.taxonomies.iter().filter(|t| t.parent.is_none());
            Resolved::List(roots.map(|t| Resolved::Node(Node::Term("Taxonomy", t))).collect())
        }
        _ => fallback(context.schema, call.result),
    }
}

fn statistics<'a>(context: Context<'a>, call: &Call<'_>, figures: &[(&str, usize)]) -> Resolved<'a> {
    let one = |(key, value): &(&str, usize)| {
        let name = if context.state.generation.is_031() { json!({ "en": key, "fr": key }) } else { json!(key) };
        json!({ "key": key, "name": name, "value": value })
    };
    plain(context.schema, call.result, figures.iter().map(one).collect())
}

pub(super) fn terms<'a>(ty: &'static str, all: &'a [Term], ids: impl IntoIterator<Item = u64>) -> Vec<Resolved<'a>> {
    let find = |id| all.iter().find(|term| term.id == id);
    ids.into_iter().filter_map(find).map(|term| Resolved::Node(Node::Term(ty, term))).collect()
}

fn term<'a>(state: &'a State, schema: &Valid<Schema>, ty: &'static str, term: &'a Term, call: &Call<'_>) -> Resolved<'a> {
    let all: &'a [Term] = match ty {
        "Category" => &state.categories,
        "Scope" => &state.scopes,
        _ => &state.taxonomies,
    };
    match call.name {
        "id" => Resolved::leaf(term.id),
        "name" => plain(schema, call.result, Value::Object(term.name.clone())),
        "isRoot" => Resolved::leaf(term.parent.is_none()),
        "parent" => terms(ty, all, term.parent).pop().unwrap_or(Resolved::NULL),
        "children" | "subcategories" => {
            let below = all.iter().filter(|t| t.parent == Some(term.id)).map(|t| t.id);
            Resolved::List(terms(ty, all, below))
        }
        _ => fallback(schema, call.result),
    }
}

fn author<'a>(context: Context<'a>, id: u64, user: &User, call: &Call<'_>) -> Resolved<'a> {
    let nickname = user.nickname.trim_start_matches('@');
    match call.name {
        "id" => Resolved::leaf(id),
        "name" => Resolved::leaf(user.name.as_str()),
        "nickname" => Resolved::leaf(user.nickname.as_str()),
        "profilePath" => Resolved::leaf(format!("/profiles/{nickname}")),
        "avatarUrl" => {
            let folder = if context.state.generation.is_031() { "decidim-packs" } else { "packs" };
            Resolved::leaf(format!("@host/{folder}/media/images/default-avatar.svg"))
        }
        "badge" if user.group => Resolved::leaf("verified-badge"),
        "organizationName" => plain(context.schema, call.result, context.state.organization.clone()),
        _ => fallback(context.schema, call.result),
    }
}

fn process_field<'a>(context: Context<'a>, process: &'a Process, call: &Call<'_>) -> Resolved<'a> {
    let state = context.state;
    match call.name {
        "id" => Resolved::leaf(process.id),
        "url" => Resolved::leaf(format!("@base/processes/{}", process.slug())),
        "steps" => Resolved::List(process.steps.iter().map(|step| Resolved::Node(Node::Step(process, step))).collect()),
        "components" => {
            let leaks = context.asked.distortion.leaks;
            let filter = call.argument("filter");
            let wanted = filter.get("type").and_then(Value::as_str);
            let shown = state.components_of(process.id).into_iter().map(|component| {
                if leaks || state.component_is_public(component) {
                    Resolved::Node(Node::Component(component))
                } else {
                    Resolved::NULL
                }
            });
            let fits = |component: &Resolved<'_>| match (component, wanted) {
                (Resolved::Node(Node::Component(component)), Some(kind)) => component.kind.eq_ignore_ascii_case(kind),
                _ => wanted.is_none(),
            };
            Resolved::List(shown.filter(fits).collect())
        }
        "taxonomies" => Resolved::List(terms("Taxonomy", &state.taxonomies, process.taxonomies.iter().copied())),
        "scope" => terms("Scope", &state.scopes, process.scope).pop().unwrap_or(Resolved::NULL),
        "categories" => {
            let own = state.categories.iter().filter(|c| c.process == Some(process.id)).map(|c| c.id);
            Resolved::List(terms("Category", &state.categories, own))
        }
        "stats" => {
            let mine = |p: &&Proposal| state.component(p.component).is_some_and(|c| c.process == process.id);
            let count = state.proposals.iter().filter(mine).filter(|p| state.proposal_is_public(p)).count();
            statistics(context, call, &[("proposals_count", count)])
        }
        "type" => Resolved::leaf("Decidim::ParticipatoryProcess"),
        _ => member(context.schema, call, &process.fields),
    }
}

fn component_field<'a>(context: Context<'a>, component: &'a Component, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let state = context.state;
    Ok(match call.name {
        "id" => Resolved::leaf(component.id),
        "name" => plain(context.schema, call.result, Value::Object(component.name.clone())),
        "weight" => Resolved::leaf(component.weight),
        "url" => Resolved::leaf(resolve_proposal::component_address(state, component)),
        "participatorySpace" => {
            let fields = json!({ "id": component.process, "type": "Decidim::ParticipatoryProcess" });
            plain(context.schema, call.result, fields)
        }
        "proposal" if component.kind == "Proposals" => {
            let asked = to_i(call.argument("id"));
            let leaks = context.asked.distortion.leaks;
            let found = state.proposal(asked).filter(|p| p.component == component.id && (leaks || state.proposal_is_public(p)));
            found.map_or(Resolved::NULL, |p| Resolved::Node(Node::Proposal(p)))
        }
        "proposals" if component.kind == "Proposals" => connection::proposals(context, component, call)?,
        _ if resolve_thing::lists(&component.kind, call.name) => resolve_thing::list(context, component, call),
        _ => fallback(context.schema, call.result),
    })
}
