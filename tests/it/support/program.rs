//! The real program as a process of its own: to be configured, asked, and killed.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

/// Longest that a command of a test may take, where nothing else is said.
const PATIENCE: Duration = Duration::from_mins(2);

/// The program under test.
pub fn executable() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_passerelle").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_passerelle")), PathBuf::from)
}

/// A city's installation: a folder with its configuration.
pub struct Installation {
    pub folder: tempfile::TempDir,
    pub port: u16,
}

impl Installation {
    /// Writes a configuration for a city that reads `platform` (an address) into `database` (a URL).
    pub fn new(city: &str, database: &str, platform: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut text = format!(
            "[authority]\nname = {{ fr = \"Ville de {city}\" }}\nidentifiers = [\"siren:216901231\"]\n\
             [server]\npublic_url = \"http://{city}.localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
             [database]\nurl = \"{database}\"\n\
             [secrets]\nkek_file = \"{}\"\n\
             [outbound]\nallow_private = [\"127.0.0.0/8\"]\n",
            folder.path().join("kek").display()
        );
        if let Some(platform) = platform {
            write!(
                text,
                "[[platform]]\nname = \"{city}\"\nkind = \"decidim\"\nurl = \"{platform}\"\nevery = \"1d\"\nrequests_per_second = 1000.0\n"
            )
            .expect("a String takes text");
        }
        let installation = Self { folder, port };
        std::fs::write(installation.config(), text).expect("the folder is ours");
        installation
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("passerelle.toml")
    }

    /// Changes the configuration's text.
    pub fn rewrite(&self, change: impl FnOnce(String) -> String) {
        let text = std::fs::read_to_string(self.config()).expect("it was written");
        std::fs::write(self.config(), change(text)).expect("the folder is ours");
    }

    /// A command of this installation.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(executable());
        command.args(arguments).arg("--config").arg(self.config()).stdin(Stdio::null()).kill_on_drop(true);
        command.env_remove("PASSERELLE_KILL_AT").env_remove("PASSERELLE_CONFIG").env("NO_COLOR", "1");
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments), PATIENCE).await
    }

    /// Runs a command that kills itself at `point`.
    pub async fn run_to_death(&self, arguments: &[&str], point: &str) -> Output {
        self.run_patiently(arguments, Some(point), PATIENCE).await
    }

    /// Runs a command that may take as long as `patience`; with `point`, it kills itself there.
    pub async fn run_patiently(&self, arguments: &[&str], point: Option<&str>, patience: Duration) -> Output {
        let mut command = self.command(arguments);
        if let Some(point) = point {
            command.env("PASSERELLE_KILL_AT", point);
        }
        finish(command, patience).await
    }

    /// Starts `serve` and waits until it answers; with `point`, it kills itself there.
    pub async fn serve(&self, point: Option<&str>) -> Child {
        match self.try_serve(point).await {
            Ok(child) => child,
            Err(status) => panic!("serve ended with {status}: {}", self.log()),
        }
    }

    /// The same where it may end before it answers; then this is how it ended.
    pub async fn try_serve(&self, point: Option<&str>) -> Result<Child, ExitStatus> {
        let mut command = self.command(&["serve"]);
        if let Some(point) = point {
            command.env("PASSERELLE_KILL_AT", point);
        }
        let log = std::fs::File::options().append(true).create(true).open(self.folder.path().join("serve.log")).expect("ours");
        command.stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().expect("the program starts");
        let health = format!("127.0.0.1:{}", self.port);
        let answered = tokio::time::timeout(PATIENCE, async {
            while tokio::net::TcpStream::connect(&health).await.is_err() {
                if let Some(status) = child.try_wait().expect("it is our child") {
                    return Err(status);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        })
        .await;
        match answered {
            Ok(answered) => answered.map(|()| child),
            Err(late) => panic!("serve does not listen ({late}): {}", self.log()),
        }
    }

    /// What `serve` logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("serve.log")).unwrap_or_default()
    }
}

async fn finish(mut command: Command, patience: Duration) -> Output {
    tokio::time::timeout(patience, command.output()).await.expect("the command ends").expect("the program starts")
}

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Whether a process ended by SIGKILL.
pub fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}

/// Stdout and stderr as text, for messages.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Where a SQLite file of this name lies.
pub fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("passerelle.db").display())
}
