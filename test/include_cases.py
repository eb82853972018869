# ruff: noqa: E501 (a case's head line says it all)
"""Every way to name a file that an assembler reads, as data: one small project per form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, FrozenSet, List, Mapping, Tuple

__all__ = ["CASES", "FAMILIES", "Case", "commands"]

FAMILIES: Mapping[str, Tuple[str, ...]] = {
    "nasm": ("nasm",),
    "gas": ("gas-x86", "gas-arm64", "clang-x86", "clang-arm64", "cpp-clang-macos"),
    "cpp": ("cpp-gas-x86", "cpp-gas-arm64", "cpp-clang-x86", "cpp-clang-arm64", "cpp-clang-macos"),
}
"""Kind of source to the dialects that its cases run in; clang preprocesses every macOS source."""

_TRIPLES = {"x86": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "macos": "arm64-apple-macos11"}
_AS = {"x86": "x86_64-linux-gnu-as", "arm64": "aarch64-linux-gnu-as"}
_ANY_FILE = {"a.i": "\n", "b.i": "\n", "one/p.i": "\n", "one/q.i": "\n", "two/q.i": "\n"}
"""In every case's folder; ``one`` and ``two`` are its include folders, in that order."""


@dataclass(frozen=True)
class Case:
    """One form: the source, the files around it, and what is to come out."""

    name: str
    form: str
    """How the table in the documentation shows it."""
    text: str
    reads: FrozenSet[str]
    """What the assembler opens, beside the source."""
    extra: FrozenSet[str] = frozenset()
    """What the scanner tracks beside that, because it does not weigh conditionals."""
    asks: bool = False
    """The assembler must be asked."""
    files: Mapping[str, str] = field(default_factory=dict)
    flags: Tuple[str, ...] = ()
    dialects: Tuple[str, ...] = ()

    @property
    def tree(self) -> Dict[str, str]:
        """Return every file of the case but the source, by path."""
        return {**_ANY_FILE, **self.files}


def commands(dialect: str, flags: Tuple[str, ...], source: str) -> List[List[str]]:
    """Return the commands that assemble `source` into `object`.

    Never into /dev/null: nasm removes its output after an error, and root may remove that.
    """
    if dialect == "nasm":
        return [["nasm", "-f", "elf64", *flags, source, "-o", "object"]]
    tool, machine = dialect.rsplit("-", 2)[-2:]
    cpp = [flag for flag in flags if not flag.startswith("--defsym")]
    clang = ["clang", f"--target={_TRIPLES[machine]}"]
    if tool == "clang":
        return [[*clang, "-c", *cpp, source, "-o", "object"]]
    if not dialect.startswith("cpp"):
        return [[_AS[machine], *flags, source, "-o", "object"]]
    only_as = [flag for flag in flags if flag.startswith("-I")]
    return [[*clang, "-E", "-x", "assembler-with-cpp", *cpp, source, "-o", "object.s"],
            [_AS[machine], *only_as, "object.s", "-o", "object"]]


def _make(family: str, rows: str) -> Tuple[Case, ...]:
    """Read cases in the short notation below: a head line, then the text, then further files."""
    cases = []
    for block in rows.split("\n====")[1:]:
        head, _, body = block.partition("\n")
        name, form, *words = (part.strip() for part in head.split(" | "))
        text, *others = body.split("\n---- ")
        files = {other.partition("\n")[0]: other.partition("\n")[2] for other in others}
        options = {word.partition("=")[0]: word.partition("=")[2] for word in words}
        cases.append(Case(
            name=f"{family}-{name}", form=form, text=f"{text}\n".replace("<CR>", "\r"),
            reads=frozenset(options.get("reads", "").split()),
            extra=frozenset(options.get("extra", "").split()),
            asks="asks" in options, files={path: f"{content}\n" for path, content in files.items()},
            flags=tuple(options.get("flags", "").split()),
            dialects=tuple(options["only"].split()) if "only" in options else FAMILIES[family]))
    return tuple(cases)


_NASM = r"""
====double-quotes | `%include "f"` | reads=a.i
%include "a.i"
====single-quotes | `%include 'f'` | reads=a.i
%include 'a.i'
====back-quotes | ``%include `f` `` | reads=a.i
%include `a.i`
====back-quote-escape | ``%include `\x61.i` ``, an escape in the name | reads=a.i | asks
%include `\x61.i`
====backslash-is-plain | `%include "sub\f"`, no escape in plain quotes | reads=\x61.i
%include "\x61.i"
---- \x61.i
====upper-case | `%INCLUDE "f"` | reads=a.i
%INCLUDE "a.i"
====braces | `%{include} "f"` | reads=a.i
%{include} "a.i"
====brackets | `%[%include "f"]` | reads=a.i
%[%include "a.i"]
====no-blank | `%include"f"`, `incbin"f"` | reads=a.i b.i
%include"a.i"
incbin"b.i"
====continued-line | `%include \` and the name on the next line | reads=a.i b.i
%include \
  "a.i"
%incl\
ude "b.i"
====continued-line-crlf | the same with CR LF line ends | reads=a.i
%include \<CR>
  "a.i"<CR>
====carriage-return-ends-comment | a comment that a lone CR ends | reads=a.i
; comment<CR>%include "a.i"
====continued-comment | a comment continued by `\`: no reference
; comment \
%include "a.i"
====comment | `; %include "f"`: no reference | reads=a.i
; %include "b.i"
nop ; incbin "b.i"
%include "a.i" ; incbin "b.i"
====comment-block | `%comment` … `%endcomment`, which NASM 2.16 does not know: text | reads=a.i
%ifdef NEVER
%comment
%endif
%include "a.i"
====quotes-in-strings | `;` and quotes inside strings | reads=a.i b.i
db ";", '"', `\``, "'"
incbin "a.i"
db 'it\'
incbin "b.i"
====open-quote | a quote left open ends with its line | reads=a.i
%warning it's "open
%include "a.i"
====conditional | both branches of `%if` | reads=a.i | extra=b.i
%if 1
%include "a.i"
%else
%include "b.i"
%endif
====macro-body | `%include` inside `%macro`, also one never called | reads=a.i | extra=b.i
%macro m 0
%include "a.i"
%endmacro
%macro n 0
%include "b.i"
%endmacro
m
====rep | `%include` inside `%rep` | reads=a.i
%rep 2
%include "a.i"
%endrep
====nested | a file included from an included file, two folders on | reads=one/p.i two/q.i a.i
%include "p.i"
---- one/p.i
%include "two/q.i"
---- two/q.i
incbin "a.i"
====working-folder | the name is looked for in the working folder, not the includer's | reads=sub/x.i a.i
%include "sub/x.i"
---- sub/x.i
%include "a.i"
---- sub/a.i
====path-order | the first -I that has the file | reads=one/q.i
%include "q.i"
====path-after-working-folder | the working folder goes before -I | reads=q.i
%include "q.i"
---- q.i
====source-file | a whole `.asm` included | reads=x.asm a.i
%include "x.asm"
---- x.asm
incbin "a.i"
====require | `%require "f"`, `%REQUIRE` | reads=a.i x.i b.i
%require "a.i"
%require "a.i"
%REQUIRE "x.i"
---- x.i
incbin "b.i"
====depend | `%depend "f"` | extra=a.i
%depend "a.i"
====pathsearch-include | `%pathsearch N "f"`, then `%include N` | reads=one/p.i b.i | asks
%pathsearch N "p.i"
%include N
---- one/p.i
incbin "b.i"
====pathsearch-incbin | `%pathsearch N "f"`, then `incbin N` | reads=one/p.i | asks
%pathsearch N "p.i"
incbin N
====dynamic-nested | a file found by a name that a macro made, and what it includes | reads=one/p.i a.i b.i | asks
%strcat N "p", ".i"
%include N
---- one/p.i
%define X "a.i"
%include X
incbin "b.i"
====pathsearch-only | `%pathsearch N "f"`, where `N` is but text | extra=one/p.i
%pathsearch N "p.i"
db N
====use | `%use package`: built in, no file
%use smartalign
nop
====incbin | `incbin "f"` | reads=a.i
incbin "a.i"
====incbin-in-folder | `incbin` finds it along -I | reads=one/p.i
incbin "p.i",0,1
====incbin-after-label | `label: incbin "f"`, `label incbin "f"` | reads=a.i b.i
first: incbin "a.i"
second incbin "b.i"
====incbin-upper-case | `INCBIN "f"` | reads=a.i
INCBIN "a.i"
====incbin-after-times | `times n incbin "f"` | reads=a.i
times 2 incbin "a.i"
====incbin-not-scanned | what `incbin` reads is bytes, not text | reads=x.bin
incbin "x.bin"
---- x.bin
%include "a.i"
====dynamic-define | `%define N "f"`, then `%include N` | reads=a.i | asks
%define N "a.i"
%include N
====dynamic-str | `%include %str(f)` | reads=a.i | asks
%include %str(a.i)
====dynamic-strcat | `%strcat` makes the name | reads=one/p.i | asks
%strcat N "p", ".i"
%include N
====dynamic-parameter | `%include %1` | reads=a.i one/p.i | asks
%macro m 1
%include %1
%endmacro
m "a.i"
m "p.i"
====dynamic-times | `times n incbin N` | reads=a.i | asks
%define N "a.i"
times 2 incbin N
====dynamic-symbol | a name that depends on a symbol's value | reads=a.i | asks
first: db 0
%define N "b.i"
times ($-first) nop
%if ($-first) == 2
%define N "a.i"
%endif
incbin N
====dynamic-shadowed | a made name that an earlier -I has, while a later one's is named too | reads=one/q.i two/q.i | asks
%include "two/q.i"
%strcat N "q", ".i"
%include N
====dynamic-parent | a made name with `..` in it | reads=one/p.i | asks
%strcat N "two/../one/", "p.i"
incbin N
---- two/keep
====word-defined | `%define I incbin`, then `I "f"` | reads=a.i | asks
%define I incbin
I "a.i"
====word-pasted | `X %+ cbin "f"` | reads=a.i | asks
%define X in
X %+ cbin "a.i"
====word-from-parameter | `in%1 "f"` | reads=a.i | asks
%macro m 1
in%1 "a.i"
%endmacro
m cbin
====word-from-parameters | `%1%2 "f"` | reads=a.i | asks
%macro m 2
%1%2 "a.i"
%endmacro
m inc, bin
====word-in-brackets | `%[%inc%1 "f"]` | reads=a.i | asks
%macro m 1
%[%inc%1 "a.i"]
%endmacro
m lude
====directive-as-argument | `m {%include "f"}` | reads=a.i
%macro m 1
%1
%endmacro
m {%include "a.i"}
====directive-word-as-argument | `m {%include}` and `%1 "f"` | reads=a.i | asks
%macro m 1
%1 "a.i"
%endmacro
m {%include}
====tasm-include | `include "f"` with `-t` | reads=a.i | flags=-t
include "a.i"
====word-from-string | `%deftok I "incbin"`, then `I "f"` | reads=a.i | asks
%deftok I "incbin"
I "a.i"
====word-from-tok | `%tok("incbin")` | reads=a.i | asks
%define I %tok("incbin")
I "a.i"
====flag-p | `-p f`, `-Pf` on the command line | reads=a.i one/p.i | flags=-p a.i -Pp.i
nop
====flag-include | `--include f` on the command line | reads=a.i | flags=--include a.i
nop
====flag-before | `--before '%include "f"'` on the command line | reads=a.i | flags=--before %include"a.i"
nop
====flag-define | `-DN='"f"'` on the command line, `%include N` | reads=a.i | asks | flags=-DN="a.i"
%include N
====flag-response | `-@ f` on the command line | reads=x.flags | flags=-@ x.flags
nop
---- x.flags
-w+all
"""

_GAS = r"""
====include | `.include "f"` | reads=a.i
.include "a.i"
====incbin | `.incbin "f"` | reads=a.i
.incbin "a.i"
====incbin-part | `.incbin "f",skip,count` along -I | reads=one/p.i
.incbin "p.i",0,1
====incbin-not-scanned | what `.incbin` reads is bytes, not text | reads=x.bin
.incbin "x.bin"
---- x.bin
.include "a.i"
====upper-case | `.INCLUDE`, `.IncBin` | reads=a.i b.i
.INCLUDE "a.i"
.IncBin "b.i"
====no-blank | `.include"f"`, which clang takes | reads=a.i | only=clang-x86 clang-arm64 cpp-clang-macos
.include"a.i"
====label | `label: .include "f"`, `1: .incbin "f"` | reads=a.i b.i
first: second: .include "a.i"
1: .incbin "b.i"
====semicolon | `nop ; .include "f"`: a second statement | reads=a.i | only=gas-x86 gas-arm64 clang-x86 clang-arm64
nop ; .include "a.i"
====semicolon-comment | `nop ; .include "f"` for macOS: a comment | reads=b.i | only=cpp-clang-macos
nop ; .include "a.i"
.include "b.i"
====percent-separator | `nop %% .include "f"` for macOS: a second statement | reads=a.i | only=cpp-clang-macos
nop %% .include "a.i"
====block-comment | `/* … */` over lines, and before a statement | reads=a.i
/* .include "b.i"
   .include "b.i" */ .include "a.i"
.byte 1 /* " */
====block-comment-between | `.include /* … */ "f"` | reads=a.i
.include /* here */ "a.i"
====hash-comment | `# …` at the start of a line | reads=a.i | only=gas-x86 gas-arm64 clang-x86 clang-arm64
# .include "b.i" it's "
  # .include "b.i"
.include "a.i"
====hash-comment-x86 | `nop # …` on x86 | reads=a.i | only=gas-x86 clang-x86
nop # .include "b.i" it's "
.include "a.i"
====hash-immediate | `mov x0, #1` on arm64: no comment | reads=a.i | only=gas-arm64 clang-arm64
mov x0, #1 ; .include "a.i"
====slash-comment | `// …` on arm64, and in clang | reads=a.i | only=gas-arm64 clang-x86 clang-arm64 cpp-clang-macos
nop // .include "b.i" it's "
.include "a.i"
====slash-line | `/ …` at the start of a line, a comment of GAS on x86 | reads=a.i | only=gas-x86
/ .include "b.i" it's "
.include "a.i"
====comment-not-continued | `# … \`: the next line is no comment | reads=a.i | only=gas-x86 gas-arm64 clang-x86 clang-arm64
# comment \
.include "a.i"
====comment-continued | `// … \` for macOS: the preprocessor continues the comment | reads=b.i | only=cpp-clang-macos
// comment \
.include "a.i"
.include "b.i"
====strings | quotes and comment signs inside strings | reads=a.i
.ascii "/* # // \" ; "
.include "a.i"
.ascii "*/"
====string-over-lines | a string that goes on over lines | reads=a.i | only=gas-x86 gas-arm64 clang-x86 clang-arm64
.ascii "x
"
.include "a.i"
====string-ends-in-mid-line | a string over lines, and a statement after it | reads=a.i | only=gas-x86 gas-arm64 clang-x86 clang-arm64
.ascii "x
y" ; .include "a.i"
====quote-character | `.byte '"'`, `'"`: a character, no string | reads=a.i
.byte '"'
.include "a.i"
.byte '\''
====conditional | both branches of `.if` | reads=a.i | extra=b.i
.if 1
.include "a.i"
.else
.include "b.i"
.endif
====symbol | a branch that a symbol set on the command line takes | reads=a.i | extra=b.i | flags=--defsym X=1 | only=gas-x86 gas-arm64
.ifdef X
.include "a.i"
.else
.include "b.i"
.endif
====macro-body | `.include` inside `.macro`, also one never called | reads=a.i | extra=b.i
.macro m
.include "a.i"
.endm
.macro n
.include "b.i"
.endm
m
====nested | a file included from an included file, two folders on | reads=one/p.i two/q.i a.i
.include "p.i"
---- one/p.i
.include "two/q.i"
---- two/q.i
.incbin "a.i"
====working-folder | the name is looked for in the working folder, not the includer's | reads=sub/x.i a.i
.include "sub/x.i"
---- sub/x.i
.include "a.i"
---- sub/a.i
====path-order | the first -I that has the file | reads=one/q.i
.include "q.i"
====source-file | a whole `.s` included | reads=x.s a.i
.include "x.s"
---- x.s
.incbin "a.i"
====escape | `.include "\141.i"`, an escape in the name | reads=a.i | asks
.include "\141.i"
====dynamic-argument | `.include "\f"` | reads=a.i one/p.i | asks
.macro m f
.include "\f"
.endm
m a.i
m p.i
====dynamic-argument-part | `.incbin "one/\name\().i"` | reads=one/p.i one/q.i | asks
.macro m name
.incbin "one/\name\().i"
.endm
m p
m q
====dynamic-irp | `.irp f, …` with `.include "\f"` | reads=a.i b.i | asks
.irp f, a, b
.include "\f\().i"
.endr
====dynamic-irpc | `.irpc c, …` with `.include "\c.i"` | reads=a.i b.i | asks
.irpc c, ab
.include "\c\().i"
.endr
====dynamic-altmacro | `.altmacro`, and an argument without backslash | reads=a.i | asks | only=gas-x86 gas-arm64
.altmacro
.macro m f
.include f
.endm
m "a.i"
====dynamic-shadowed | a made name that an earlier -I has, while a later one's is named too | reads=one/q.i two/q.i | asks
.include "two/q.i"
.macro m f
.include "\f\().i"
.endm
m q
====dynamic-nested | a made name inside a file with a made name | reads=one/p.i a.i b.i | asks
.macro m f
.include "\f\().i"
.endm
m p
---- one/p.i
m a
.incbin "b.i"
====word-argument | `.\f "a"` | reads=a.i | asks
.macro m f
.\f "a.i"
.endm
m include
====word-argument-part | `.inc\f "a"` | reads=a.i | asks
.macro m f
.inc\f "a.i"
.endm
m lude
====word-arguments | `.\f\g "a"` | reads=a.i | asks
.macro m f g
.\f\g "a.i"
.endm
m inc bin
====word-pasted | `.inc\()lude "a"` | reads=a.i | asks | only=gas-x86 gas-arm64 clang-x86 clang-arm64
.macro m
.inc\()lude "a.i"
.endm
m
====word-whole | `\f "a"` with `.include` as argument | reads=a.i | asks
.macro m f
\f "a.i"
.endm
m .include
====word-quoted | `\f "a"` with `".include"` as argument | reads=a.i | asks
.macro m f
\f "a.i"
.endm
m ".include"
====word-dollar | `.$0 "a"` for macOS | reads=a.i | asks | only=cpp-clang-macos
.macro m
.$0 "a.i"
.endm
m include
====word-dollar-part | `.inc$0 "a"` for macOS | reads=a.i | asks | only=cpp-clang-macos
.macro m
.inc$0 "a.i"
.endm
m lude
====flag-response | `@f` on the command line | reads=x.flags a.i | flags=@x.flags
.include "a.i"
---- x.flags
-Itwo
"""

_CPP = r"""
====quoted | `#include "f"` | reads=a.i
#include "a.i"
====angle | `#include <f>` | reads=one/p.i
#include <p.i>
====angle-not-here | `#include <f>` is not looked for in the includer's folder | reads=one/q.i
#include <q.i>
---- q.i
====includer-folder | `#include "f"` in the includer's folder first, then along -I | reads=sub/x.i sub/a.i one/p.i
#include "sub/x.i"
---- sub/x.i
#include "a.i"
#include "p.i"
---- sub/a.i
====include-next | `#include_next` | reads=one/q.i two/q.i
#include <q.i>
---- one/q.i
#include_next <q.i>
====import | `#import "f"` | reads=a.i
#import "a.i"
====blanks | `# include`, `#include"f"`, comments between | reads=a.i b.i one/p.i
#  include "a.i"
#include"b.i"
/* c */ # /* over
lines */ include <p.i>
====continued-line | `#inc\` and the rest on the next line | reads=a.i b.i
#inc\
lude "a.i"
#include \
 "b.i"
====digraph | `%:include "f"` | reads=a.i
%:include "a.i"
====conditional | both branches of `#if` | reads=a.i | extra=b.i
#if 1
#include "a.i"
#else
#include "b.i"
#endif
====skipped-text | text with open quotes that `#if 0` skips | reads=a.i
#if 0
it's "quoted
#endif
.include "a.i"
#if 0
"
#endif
====comment | `//` and `/* */` around `#include` | reads=a.i
// #include "b.i"
/* #include "b.i"
*/ #include "a.i"
====has-include | `__has_include("f")`, which opens it | reads=a.i
#if __has_include("a.i")
.byte 1
#endif
====has-include-then | `__has_include(<f>)`, then `#include <f>` | reads=one/p.i
#if __has_include(<p.i>)
#include <p.i>
#endif
====has-include-made | `__has_include("f")` in a file that `#include X` found | reads=x.h a.i | asks
#define X "x.h"
#include X
---- x.h
#if __has_include("a.i")
#include "a.i"
#endif
====has-include-define | `#define __has_include(x) 0` where it is missing: no reference | reads=a.i
#ifndef __has_include
#define __has_include(x) 0
#endif
#if defined(__has_include) && 1
.include "a.i"
#endif
====pragma-dependency | `#pragma GCC dependency "f"` | reads=a.i
#pragma GCC dependency "a.i"
====guard | a file included twice, guarded | reads=x.h a.i
#include "x.h"
#include "x.h"
---- x.h
#ifndef X
#define X
#include "a.i"
#endif
====then-gas | `.include` in a file that `#include` found | reads=x.h a.i b.i
#include "x.h"
---- x.h
.include "a.i"
.incbin "b.i"
====not-in-gas-include | `#include` inside an `.include`d file: no directive there | reads=x.i | only=cpp-gas-x86 cpp-gas-arm64 cpp-clang-x86 cpp-clang-arm64 cpp-clang-macos
.include "x.i"
---- x.i
# include "a.i"
.byte 1
====define-statement | `#define I .include "f"` | reads=a.i
#define I .include "a.i"
I
====define-after-hash | `#define` with `#x`, which starts no comment there | reads=a.i | only=cpp-gas-x86 cpp-gas-arm64 cpp-clang-x86 cpp-clang-arm64
#define M(x) .ascii #x ; .include "a.i"
M(v)
====dynamic-include | `#define X "f"`, then `#include X` | reads=a.i | asks
#define X "a.i"
#include X
====dynamic-angle | `#define X <f>`, then `#include X` | reads=one/p.i a.i | asks
#define X <p.i>
#include X
---- one/p.i
.include "a.i"
====dynamic-flag | `-DX='"f"'` on the command line, `#include X` | reads=a.i | asks | flags=-DX="a.i"
#include X
====dynamic-shadowed | a made name that the includer's folder has, while a later folder's is named too | reads=sub/x.h sub/q.i two/q.i | extra=one/q.i | asks
#include "two/q.i"
#include "sub/x.h"
---- sub/x.h
#define X "q.i"
#include X
---- sub/q.i
====dynamic-string | `.include STR(f)` | reads=a.i | asks
#define STR(x) #x
.include STR(a.i)
====word-defined | `#define I .include`, then `I "f"` | reads=a.i | asks
#define I .include
I "a.i"
====word-parameter | `#define D(x) .x "f"` | reads=a.i | asks
#define D(x) .x "a.i"
D(include)
====word-glued | `#define D(x) .inc##x "f"` | reads=a.i | asks
#define D(x) .inc##x "a.i"
D(lude)
====word-glued-whole | `#define D(x, y) x##y "f"` | reads=a.i | asks
#define D(x, y) .x##y "a.i"
D(inc, bin)
====flag-include | `-include f` on the command line | reads=a.i | flags=-include a.i
.byte 1
====flag-iquote | `-iquote folder` on the command line | reads=sub/x.h | flags=-iquotesub
#include "x.h"
---- sub/x.h
====flag-isystem | `-isystem folder` on the command line | reads=sub/x.h | flags=-isystem sub
#include <x.h>
---- sub/x.h
"""

CASES = (*_make("nasm", _NASM), *_make("gas", _GAS), *_make("cpp", _CPP))
