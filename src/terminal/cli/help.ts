/* The texts for people; each fits a screen of 24 rows and 80 columns, which a test holds them to. */
import type { CommandName } from './commands.ts';

export const OVERVIEW = `Usage: milena [OPTIONS]             opens the chat
       milena COMMAND [OPTIONS]     does one thing and ends, for scripts

  send NAME TEXT…  send a message              list [PATTERN]   list accounts
  listen           print messages as they come status NAME…     who is logged in
  retrieve         print what waited           create NAME      make an account
  search WORDS…    search the local history    passwd           change password
  export NAME      print a conversation        delete           delete account
  doctor           find out what is wrong      completion SHELL bash, zsh, fish
  room ACTION …    list, make, join rooms      keys             frontends' keys

  --server HOST:PORT,…    one or several (127.0.0.1:8080); also MILENA_SERVER
  --user NAME             the account; also MILENA_USER
  --device NAME --last N  one of its devices; so many messages for a new one
  --password-file FILE    its password; or --password-command, MILENA_PASSWORD
  --tls, --ca FILE        encrypt; trust only FILE (PEM); --insecure: don't
  --theme NAME            auto, dark, light, high-contrast or mono
  --signs NAME, --links   auto, unicode or ascii; addresses as links
  --plain --no-bell --no-mouse --no-history --no-stay-logged-in --data-dir DIR
  --invite INVITE         for the chat: leave to make an account
  --help, --version       milena COMMAND --help explains a command

Settings may also be in ~/.config/milena/settings.json: docs/commands.md.
`;

const LOGIN = `  --timeout SECONDS       give up after that; 30
  --takeover              end another login of the account first
  --user, --server, …     whose account, and where: see milena --help
`;

export const HELP: Readonly<Record<CommandName, string>> = {
  send: `Usage: milena send [OPTIONS] NAME TEXT…
       milena send [OPTIONS] NAME -

Sends a message to NAME, or to a room ('#ops', in quotes), and ends when Kafka
has it (✓). With - the text comes from standard input, less the line break at
its end. Text that begins with a dash goes behind --:

  milena send bob -- "$text"

  --wait-delivered        end when the recipient's client has it (✓✓)
  --json                  print what became of it as one JSON object
${LOGIN}
Exit codes: 0 stored (or delivered), 64 usage, 65 text empty, too long or not
UTF-8, 67 no such user or room, 69 no connection: nothing was sent, 77 wrong
password, blocked, or not in the room, 75 try later: the message says whether it
may be stored already, and what is in the outbox goes again with the next login.
`,
  listen: `Usage: milena listen [OPTIONS]

Prints messages as they come, also those of your rooms, beginning with those
that waited, for ever. What was written out is acknowledged, and nothing else; a
message comes again after a crash in between, and is printed once all the same
while the history is on. A lost connection is made anew; standard error says so.

  --json                  one JSON object a line: docs/commands.md
  --once                  end after the first message
  --from NAME             print NAME's messages only; the others go on waiting
  --room ROOM             print what is said in ROOM only; likewise
  --takeover              end another login of the account first
  --user, --server, …     whose account, and where: see milena --help

Exit codes: 0 the reader is gone or --once is done, 69 no connection at first,
75 logged in elsewhere, 77 wrong password, 130 and 143 ended by a signal.
`,
  retrieve: `Usage: milena retrieve [OPTIONS]

Prints the messages that waited, oldest first, and ends. What was printed is
acknowledged: it counts as delivered, and does not come again.

  --json                  one JSON object a line: docs/commands.md
  --limit COUNT           at most so many; the others go on waiting
${LOGIN}`,
  list: `Usage: milena list [OPTIONS] [PATTERN]

Prints the names of accounts, one a line; * is any characters, ? any one:
  milena list 'b*'
Needs no account.

  --json                  one JSON object a line
  --limit COUNT           at most so many, in the order of their names
  --timeout SECONDS       give up after that; 30
  --server, …             where: see milena --help
`,
  status: `Usage: milena status [OPTIONS] NAME…

Prints for each name whether somebody is logged in or away. Ends with 67 if a
name is nobody's.

  --json                  one JSON object a line
${LOGIN}`,
  room: `Usage: milena room list [PATTERN]
       milena room create|set|join|leave|members|delete ROOM
       milena room invite|kick ROOM NAME…
       milena room owner ROOM NAME      (whose it is from then on)
       milena room holders ROOM SEQ     (who has it), raw ROOM PARTITION OFFSET

ROOM may be without its #, which a shell takes for a comment outside of quotes.

  --mine                  list: only those you are in or invited to
  --policy POLICY         create, set: open, or invited for who was invited
  --description TEXT      create, set: what it is for
  --keep DAYS             create, set: so long are messages kept; 30
  --backlog COUNT         create, set: old messages for who joins; 0
  --topic TOPIC           create: it shows a topic's records; --preview COUNT:
                          none is made, what it would show is printed
  --where FILTER          create, set: which of them; --as TEMPLATE: as what
  --back COUNT            join: with so many messages from before
  --invited               members: who may join instead
  --force                 delete: even if others are in it
  --json                  one JSON object a line
${LOGIN}`,
  create: `Usage: milena create [OPTIONS] NAME

Makes an account. Its password comes from --password-file, --password-command,
MILENA_PASSWORD, or the prompt, where it is typed twice.

  --invite INVITE         leave to make it, where the server asks for an invite
  --timeout SECONDS       give up after that; 30
  --server, …             where: see milena --help

Exit codes: 0 made, 65 the password is too weak, 73 the name is taken,
77 the server makes no account for you.
`,
  delete: `Usage: milena delete [OPTIONS]

Deletes the account of --user, with its inbox and everything in it. The local
history stays.

  --yes                   don't ask; needed without a terminal
  --force                 even if messages wait that nobody has read
${LOGIN}
Exit codes: 0 deleted, 77 messages wait, wrong password, or not confirmed.
`,
  passwd: `Usage: milena passwd [OPTIONS]

Changes the password of the account of --user. The old one comes from
--password-file, --password-command, MILENA_PASSWORD, or the prompt; the new one
from the prompt, or:

  --new-password-file FILE    the new password; also MILENA_NEW_PASSWORD
${LOGIN}`,
  search: `Usage: milena search [OPTIONS] WORDS…

Prints the messages of the local history that have all the words, or words that
begin so, newest first. Needs no server. Among the words may be:

  from:NAME, in:NAME      who wrote it (from:me), with whom; a name in any case
  after:DAY, before:DAY   2026-11-21, 2026-11, 2026, today or yesterday
  '"these words"'         as they stand; the shell takes the outer quotes

  --json                  one JSON object a line
  --limit COUNT           at most so many; 100
  --with NAME             as in:NAME
  --user, --server, …     whose history: see milena --help
`,
  export: `Usage: milena export [OPTIONS] NAME

Prints the conversation with NAME from the local history, oldest first. Needs no
server.

  --json                  one JSON object a line
  --external              NAME is what a program calls itself, no user
  --user, --server, …     whose history: see milena --help
`,
  doctor: `Usage: milena doctor [OPTIONS]

Looks at everything that has to work, and says what to do about what does not:
Node, settings, terminal, history, server, certificate, clock, account, Kafka.
Logs in if the password is known without asking; takes no account over.

  --json                  one JSON object a line
  --repair                only Kafka: inboxes whose topics were deleted,
                          replaced or changed by hand; asks first
  --free NAME,…           with it: remove these accounts, if their topic is gone
  --yes                   with it: don't ask
  --kafka                 look at Kafka alone, and show all that was looked at:
                          versions, settings, rights; needs no server
  --user, --server, …     what to look at: see milena --help

Exit codes: 0 all is well (! are hints), otherwise the code of the first ✗.
`,
  completion: `Usage: milena completion bash|zsh|fish

Prints a completion script; it asks the server for names as you type.

  bash:  source <(milena completion bash)    in ~/.bashrc
  zsh:   source <(milena completion zsh)     in ~/.zshrc, behind compinit
  fish:  milena completion fish | source     in ~/.config/fish/config.fish
`,
  help: `Usage: milena help [COMMAND]

Explains a command, or lists them all.
`,
};
