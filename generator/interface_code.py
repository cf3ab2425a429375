# SPDX-License-Identifier: BSD-2-Clause
"""The C of one interface method, as lists of lines that the template prints. Pure functions of the description.

Names of arguments never end in an underscore. What is made for an argument ends in one, a function's own in two.
"""
from dataclasses import dataclass, field

from generator.interface_types import SCALARS, SIZES, Defined, Enum, Struct, bad_value, checked, cleaned, said

REGISTERS = 4  # TSS_MESSAGE_REGISTERS
BUFFERS = {"bytes": "void", "string": "char"}
_TOO_BIG = {"u8": "{0} > UINT8_MAX", "u16": "{0} > UINT16_MAX", "u32": "{0} > UINT32_MAX", "bool": "{0} > 1",
            "i32": "(int64_t){0} != (int32_t){0}"}


@dataclass(frozen=True)
class Field:
    """An argument. kind: of SCALARS or BUFFERS, enum, struct, array, cap or buffer: memory that is shared."""

    name: str
    kind: str
    most: int  # bytes, or elements of an array
    c: str = ""  # its type in C, or that of an element
    of: Defined | None = None  # what that is, if the interface defines it
    element: str = ""  # of an array: of SCALARS, enum or struct
    object: str = ""  # what a capability must name; empty: anything
    rights: tuple[str, ...] = ()  # and may do at least

    @property
    def unit(self) -> int:
        """Bytes of a struct or of an element; of a buffer 1."""
        return self.of.size if isinstance(self.of, Struct) else SIZES.get(self.element, 1)

    @property
    def length(self) -> str:
        """How the number of bytes or elements is called."""
        return f"{self.name}_{'count' if self.kind == 'array' else 'size'}"

    def bytes_of(self, length: str) -> str:
        return f"{length} * {self.unit}" if self.unit > 1 else length


@dataclass(frozen=True)
class Method:
    name: str
    number: int
    doc: str = field(repr=False)
    oneway: bool
    idempotent: bool  # the stub says it again to a server that was restarted
    request: tuple[Field, ...]
    reply: tuple[Field, ...]


@dataclass(frozen=True)
class Code:
    """What the template prints for a method; bodies are complete functions."""

    name: str
    number: int
    doc: str
    maxima: tuple[tuple[str, int], ...]  # of each buffer
    stubs: tuple[str, ...]  # names of the client's functions
    operation: str  # member of the operations struct
    client: tuple[str, ...]
    server: tuple[str, ...]


def shared(fields: tuple[Field, ...]) -> list[Field]:
    return [f for f in fields if f.kind == "buffer"]


def parts(field: Field) -> tuple[Field, ...]:
    """What travels of an argument: of memory that is shared two words and a capability, by the names they have in C."""
    if field.kind != "buffer":
        return (field,)
    words = tuple(Field(f"{field.name}->{word}", "u64", 0, "uint64_t") for word in ("offset", "size"))
    return *words, Field(f"{field.name}->memory", "cap", 0, "cap_t", object="memory", rights=(*field.rights, "grant"))


def _parts(fields: tuple[Field, ...]) -> list[Field]:
    return [part for f in fields for part in parts(f)]


def scalars(fields: tuple[Field, ...]) -> list[Field]:
    return [f for f in _parts(fields) if f.kind in SCALARS or f.kind == "enum"]


def structs(fields: tuple[Field, ...]) -> list[Field]:
    return [f for f in fields if f.kind == "struct"]


def variable(fields: tuple[Field, ...]) -> list[Field]:
    """What has a length: buffers and arrays."""
    return [f for f in fields if f.kind in BUFFERS or f.kind == "array"]


def caps(fields: tuple[Field, ...]) -> list[Field]:
    return [f for f in _parts(fields) if f.kind == "cap"]


def words(fields: tuple[Field, ...]) -> int:
    """Scalars and lengths, which come first."""
    return len(scalars(fields)) + len(variable(fields))


def _padded(size: int) -> int:
    return (size + 7) // 8 * 8


def head(fields: tuple[Field, ...]) -> int:
    """Bytes before what has a length."""
    return 8 * words(fields) + sum(_padded(f.unit) for f in structs(fields))


def most_bytes(fields: tuple[Field, ...]) -> int:
    """The longest message these fields can make."""
    return head(fields) + sum(_padded(f.most * f.unit) for f in variable(fields))


def parameter_names(field: Field) -> list[str]:
    """Every C name an argument uses up."""
    many = bool(variable((field,)))
    return [field.name, *([field.length, f"{field.name}_capacity"] if many else [])]


def _inputs(fields: tuple[Field, ...]) -> list[str]:
    """Parameters that bring values in."""
    found = []
    for f in fields:
        if variable((f,)):
            found += [f"const {f.c} *{f.name}", f"size_t {f.length}"]
        else:
            found.append(f"const {f.c} *{f.name}" if f.kind in ("struct", "buffer") else f"{f.c} {f.name}")
    return found


def _outputs(fields: tuple[Field, ...], capacity: bool) -> list[str]:
    """Parameters that take values out; with `capacity` a buffer's space is the caller's and can be shorter."""
    found = []
    for f in fields:
        if variable((f,)):
            found += [f"{f.c} *{f.name}", *([f"size_t {f.name}_capacity"] if capacity else []), f"size_t *{f.length}"]
        else:
            found.append(f"{f.c} *{f.name}")
    return found


def _packed(field: Field) -> str:
    """A scalar as the word it travels in."""
    cast = {"i32": "(uint64_t)(int64_t)", "i64": "(uint64_t)"}.get(field.kind, "")
    return f"{cast}{field.name}"


def _header(fields: tuple[Field, ...]) -> list[str]:
    return [_packed(f) for f in scalars(fields)] + [f.length for f in variable(fields)]


def _needs_page(fields: tuple[Field, ...]) -> bool:
    return bool(_bodies(fields) or caps(fields) or words(fields) > REGISTERS)


def in_registers(fields: tuple[Field, ...]) -> bool:
    """Does a message of these fields travel without the IPC page?"""
    return not _needs_page(fields)


def _bodies(fields: tuple[Field, ...]) -> bool:
    """Is there more than words?"""
    return bool(variable(fields) or structs(fields))


def _typed(fields: tuple[Field, ...]) -> list[Field]:
    """What programs read and write in a message by other types than words and characters."""
    return [f for f in fields if f.kind in ("struct", "array")]


def _registers(fields: tuple[Field, ...]) -> list[str]:
    """The expressions of the four register words; bodies must lie in send[] by now."""
    header = _header(fields)
    return [header[i] if i < len(header) else f"page__->send[{i}]" if 8 * i < most_bytes(fields) else "0"
            for i in range(REGISTERS)]


def _each(f: Field, length: str, *lines: str) -> list[str]:
    """A struct's lines, or those of each element of an array: number i__."""
    if f.kind == "struct":
        return [line.replace(" + i__", "") for line in lines]
    return [f"for (uint64_t i__ = 0; i__ < {length}; i__++)", *(f"\t{line}" for line in lines)]


def _clean(f: Field, at: str, length: str) -> list[str]:
    """Lines that clear what nobody set in the structs that lie at `at`."""
    if not isinstance(f.of, Struct) or not cleaned(f.of):
        return []
    return _each(f, length, f"{f.c.removeprefix('struct ')}_clean(({f.c} *)({at}) + i__);")


def _put_variable(f: Field, at: int | None) -> list[str]:
    """Puts a buffer or an array behind end__; at: it lies there already."""
    size = f.bytes_of(f.length)
    if at is not None:
        return [*_clean(f, f"&page__->send[{at // 8}]", f.length), *(["TSS_BARRIER();"] if f.kind == "array" else []),
                f"end__ = tss_pad_bytes(page__->send, end__, {size});"]
    clean = _clean(f, f"(uint8_t *)page__->send + end__ - tss_padded({size})", f.length)
    return [f"end__ = tss_put_bytes(page__->send, end__, {f.name}, {size});", *clean]


def _encode(fields: tuple[Field, ...], in_place: bool) -> tuple[list[str], str]:
    """Lines that put what does not travel in registers into the page, and the expression of the length.

    In place: what has a length lies there already, and structs are values, not pointers.
    """
    header = _header(fields)
    lines = [f"page__->send[{i}] = {word};" for i, word in enumerate(header) if i >= REGISTERS]
    at = 8 * len(header)
    for f in structs(fields):
        lines.append(f"(void)tss_put_bytes(page__->send, {at}, {'&' if in_place else ''}{f.name}, sizeof({f.c}));")
        lines += _clean(f, f"&page__->send[{at // 8}]", "1")
        at += _padded(f.unit)
    end = str(at)
    if variable(fields):
        lines.append(f"uint64_t end__ = {end};")
        lines += [line for f in variable(fields) for line in _put_variable(f, at if in_place else None)]
        end = "end__"
    lines += ["TSS_BARRIER();"] if any("_clean(" in line for line in lines) else []
    lines += [f"page__->send_caps[{i}] = {f.name};" for i, f in enumerate(caps(fields))]
    return lines, end


def _range_checks(fields: tuple[Field, ...], words: str) -> list[str]:
    """Conditions under which a received scalar is not of its type."""
    return [f"{_word(i, words)} >= {len(f.of.values)}" if isinstance(f.of, Enum) else
            _TOO_BIG[f.kind].format(_word(i, words))
            for i, f in enumerate(scalars(fields)) if f.of is not None or f.kind in _TOO_BIG]


def _body_checks(f: Field, at: str, length: str, wrong: str) -> list[str]:
    """Lines that refuse a struct or an array at the address `at` with a value in it that is not of its type."""
    if isinstance(f.of, Struct):
        name = f.c.removeprefix("struct ")
        condition = f"!{name}_good((const {f.c} *)({at}) + i__)" if checked(f.of) else None
    else:
        condition = bad_value(f.element, f.of, f"(const uint8_t *)({at}) + i__ * {f.unit}")
    return _each(f, length, f"if ({condition})", f"\t{wrong}") if condition else []


def _struct_places(fields: tuple[Field, ...]) -> list[tuple[Field, int]]:
    """Where each struct begins in its message, in words."""
    found, at = [], words(fields)
    for f in structs(fields):
        found.append((f, at))
        at += _padded(f.unit) // 8
    return found


def _word(index: int, words: str) -> str:
    return f"{words}[{index}]" if index < REGISTERS else f"page__->recv[{index}]"


def _unpacked(field: Field, word: str) -> str:
    return f"{word} != 0" if field.kind == "bool" else word if field.kind == "u64" else f"({field.c}){word}"


def _lengths(fields: tuple[Field, ...], words: str) -> list[tuple[Field, str]]:
    return [(f, _word(len(scalars(fields)) + i, words)) for i, f in enumerate(variable(fields))]


def _page() -> str:
    return "struct tss_ipc_page *const page__ = tss_ipc();"


def _block(signature: str, lines: list[str]) -> list[str]:
    return [signature, "{", *(f"\t{line}" if line else "" for line in lines), "}"]


def _guard(conditions: list[str], then: str) -> list[str]:
    return [f"if ({' || '.join(conditions)})", f"\t{then}"] if conditions else []


def _tag(kind: str, fields: tuple[Field, ...], lengths: list[tuple[Field, str]]) -> str:
    """The only tag that a message with bodies of these lengths, each in range, can have."""
    total = " + ".join([str(head(fields)), *(f"tss_padded({f.bytes_of(length)})" for f, length in lengths)])
    return f"TSS_TAG({kind}, {total}, {len(caps(fields))})"


def _spill(fields: tuple[Field, ...], registers: str) -> list[str]:
    """Lines that put the register words a body begins in to where it goes on."""
    lines = [f"page__->recv[{i}] = {registers}[{i}];" for i in range(words(fields), REGISTERS)]
    return lines + (["TSS_BARRIER();"] if _typed(fields) else [])


def _capability_checks(fields: tuple[Field, ...], wrong: str) -> list[str]:
    """Lines that refuse a message whose capabilities are not what the method says of them."""
    lines = []
    for i, f in enumerate(caps(fields)):
        if f.object:
            rights = " | ".join(f"TSS_RIGHT_{right.upper()}" for right in f.rights) or "0"
            lines += _guard([f"tss_capability_check(page__->recv_caps[{i}], TSS_TYPE_{f.object.upper()}, {rights}) != "
                             "TSS_OK"], wrong)
    return lines


def _reply_bodies(reply: tuple[Field, ...]) -> list[str]:
    """Takes structs, buffers and arrays out of a reply, all of it checked before anything is handed over."""
    wrong = "return tss_reply_error(tag__);"
    checks, lines = [], []
    for f, at in _struct_places(reply):
        place = f"&page__->recv[{at}]"
        checks += _body_checks(f, place, "1", wrong)
        lines += _guard([f"{f.name} != NULL"], f"*{f.name} = *(const {f.c} *){place};")
    for f, length in _lengths(reply, "w__"):
        place = f"(const uint8_t *)page__->recv + {head(reply)}"
        checks += _body_checks(f, place, length, wrong)
        lines += [f"tss_copy({f.name}, {place}, {f.bytes_of(length)});", f"*{f.length} = {length};"]
    return [*_spill(reply, "w__"), *checks, *lines] if _bodies(reply) else []


def _client_reply(reply: tuple[Field, ...]) -> list[str]:
    """Checks a reply and takes it apart."""
    lengths = _lengths(reply, "w__")
    lines = _guard([*(f"{length} > {most}" for f, length in lengths for most in (f.most, f"{f.name}_capacity")),
                    f"tag__ != {_tag('0', reply, lengths)}"], "return tss_reply_error(tag__);")
    lines += _guard(_range_checks(reply, "w__"), "return tss_reply_error(tag__);")
    lines += _capability_checks(reply, "return tss_drop_capabilities(tag__), tss_reply_error(tag__);")
    lines += _reply_bodies(reply)
    for i, f in enumerate(scalars(reply)):
        lines += _guard([f"{f.name} != NULL"], f"*{f.name} = {_unpacked(f, _word(i, 'w__'))};")
    for i, f in enumerate(caps(reply)):
        lines.append(f"*{f.name} = page__->recv_caps[{i}];")
    return [*lines, "return TSS_OK;"]


def _client_request(method: Method, page: bool) -> tuple[list[str], str]:
    """Checks and encodes the arguments of a client's stub."""
    lines = [line for f in variable(method.request)
             for line in _guard([f"{f.length} > {f.most}"], "return TSS_STATUS(TSS_E_ARGUMENT, 0);")]
    lines += _guard([f"!tss_buffer_good({f.name}, {f.most})" for f in shared(method.request)],
                    "return TSS_STATUS(TSS_E_ARGUMENT, 0);")
    if page:
        lines.append(_page())
    more, end = _encode(method.request, in_place=False)
    return lines + more, f"TSS_TAG({method.number}, {end}, {len(caps(method.request))})"


def _client(interface: str, method: Method) -> list[str]:
    parameters = ", ".join(["cap_t connection", *_inputs(method.request), *_outputs(method.reply, True),
                            "uint64_t timeout_us"])
    lines, tag = _client_request(method, _needs_page(method.request) or _needs_page(method.reply))
    words, call = _registers(method.request), "tss_connection_call(connection, &tag__, w__, timeout_us);"
    lines += [f"uint64_t w__[4] = {{{', '.join(words)}}};", f"tss_tag_t tag__ = {tag};",
              f"tss_status_t status__ = {call}"]
    if method.idempotent:
        again = [f"tag__ = {tag};", *(f"w__[{i}] = {word};" for i, word in enumerate(words)), f"status__ = {call}"]
        lines += ["if (TSS_UNLIKELY(status__ != TSS_OK) && TSS_CODE(status__) == TSS_E_PEER_RESTARTED) {",
                  *(f"\t{line}" for line in again), "}"]
    lines += ["if (TSS_UNLIKELY(status__ != TSS_OK))", "\treturn status__;", *_client_reply(method.reply)]
    return _block(f"static inline tss_status_t {interface}_{method.name}({parameters})", lines)


def _client_send(interface: str, method: Method) -> list[str]:
    parameters = ", ".join(["cap_t connection", *_inputs(method.request)])
    lines, tag = _client_request(method, _needs_page(method.request))
    send = f"tss_connection_send(connection, {tag}, w__);"
    lines += [f"const uint64_t w__[4] = {{{', '.join(_registers(method.request))}}};",
              f"tss_status_t status__ = {send}"]
    if method.idempotent:
        lines += ["if (TSS_CODE(status__) == TSS_E_PEER_RESTARTED)", f"\tstatus__ = {send}"]
    lines.append("return status__;")
    return ["", "/* The same as a message nobody answers; never blocks. */",
            *_block(f"static inline tss_status_t {interface}_{method.name}_send({parameters})", lines)]


def _server_checks(method: Method) -> list[str]:
    """Everything about a request that must hold before the operation is called."""
    request, wrong = method.request, "return tss_refuse_format(request);"
    lengths = _lengths(request, "request->words")
    first = [] if method.oneway else ["request->reply == TSS_CAP_NULL"]
    first += [*(f"{length} > {f.most}" for f, length in lengths),
              f"request->tag != {_tag(str(method.number), request, lengths)}"]
    return _guard(first, wrong) + _guard(_range_checks(request, "request->words"), wrong)


def _server_body(f: Field, length: str, at: str) -> list[str]:
    """Lines that give a buffer or an array its name, if it is good."""
    wrong = "return tss_refuse_format(request);"
    lines = [f"const size_t {f.length}_ = {length};", f"const {f.c} *const {f.name}_ = (const void *)({at});"]
    if f.kind == "string":
        lines += _guard([f"memchr({f.name}_, 0, {f.length}_) != NULL"], wrong)
    return lines + _body_checks(f, f"{f.name}_", f"{f.length}_", wrong)


def _server_arguments(method: Method) -> tuple[list[str], list[str]]:
    """Lines that prepare the operation's arguments, and the arguments."""
    request, arguments, wrong = method.request, [], "return tss_refuse_format(request);"
    lines = _spill(request, "request->words") if _bodies(request) else []
    for f, place in _struct_places(request):
        lines += _body_checks(f, f"&page__->recv[{place}]", "1", wrong)
        lines.append(f"const {f.c} {f.name}_ = *(const {f.c} *)&page__->recv[{place}];")
    at = f"(const uint8_t *)page__->recv + {head(request)}"
    for f, length in _lengths(request, "request->words"):
        lines += _server_body(f, length, at)
        at = f"(const uint8_t *){f.name}_ + tss_padded({f.bytes_of(f.length + '_')})"
    number = {f.name: i for group in (scalars(request), caps(request)) for i, f in enumerate(group)}
    for f in shared(request):
        offset, size = (_word(number[f"{f.name}->{word}"], "request->words") for word in ("offset", "size"))
        lines.append(f"const {f.c} {f.name}_ = {{page__->recv_caps[{number[f'{f.name}->memory']}], {offset}, {size}}};")
        lines += _guard([f"!tss_buffer_good(&{f.name}_, {f.most})"], wrong)
    for f in request:
        if f.kind == "cap":
            arguments.append(f"page__->recv_caps[{number[f.name]}]")
        elif f.name in number:
            arguments.append(_unpacked(f, _word(number[f.name], "request->words")))
        else:
            whole = f.kind in ("struct", "buffer")
            arguments += [f"&{f.name}_"] if whole else [f"{f.name}_", f"{f.length}_"]
    return lines + _capability_checks(request, wrong), arguments


def _server_results(method: Method) -> tuple[list[str], list[str]]:
    """Variables for what the operation gives back, and the arguments that let it."""
    lines, arguments = [], []
    for f in method.reply:
        if variable((f,)):
            lines.append(f"size_t {f.length} = 0;")
            arguments += [f"({f.c} *)&page__->send[{head(method.reply) // 8}]", f"&{f.length}"]
        else:
            lines.append(f"{f.c} {f.name} = {'{0}' if f.kind == 'struct' else '0'};")
            arguments.append(f"&{f.name}")
    return lines, arguments


def _server(interface: str, method: Method) -> list[str]:
    prepare, arguments = _server_arguments(method)
    variables, results = _server_results(method)
    lines = _guard([f"operations->{method.name} == NULL"], "return tss_refuse(request, TSS_REPLY_METHOD);")
    checks = _server_checks(method)
    deep = words(method.request) > REGISTERS
    if _needs_page(method.request) or _needs_page(method.reply):
        lines = [_page(), *lines, *checks] if deep else [*lines, *checks, _page()]
    else:
        lines += checks
    call = ", ".join(["state", "request", *arguments, *results])
    lines += [*prepare, *variables, f"tss_status_t status__ = operations->{method.name}({call});",
              "if (status__ == TSS_DEFER)", "\treturn TSS_DEFER;",
              "if (status__ != TSS_OK)", "\treturn tss_refuse(request, tss_reply_type(status__));"]
    lines += _guard([f"{f.length} > {f.most}" for f in variable(method.reply)],
                    "return tss_refuse(request, TSS_REPLY_FAILED);")
    more, end = _encode(method.reply, in_place=True)
    lines += more
    lines += [f"request->words[{i}] = {word};" for i, word in enumerate(_registers(method.reply)) if word != "0"]
    lines += [f"request->tag = TSS_TAG(0, {end}, {len(caps(method.reply))});", "return TSS_OK;"]
    signature = f"TSS_INLINE tss_status_t {interface}_{method.name}_serve(" \
        f"const struct {interface}_operations *operations, void *state, struct tss_request *request)"
    return _block(signature, lines)


def _server_reply(interface: str, method: Method) -> list[str]:
    parameters = ", ".join(["cap_t reply", "tss_status_t status", *_inputs(method.reply)])
    lines = ["if (status != TSS_OK) {", "\tconst uint64_t none__[4] = {0, 0, 0, 0};",
             "\treturn tss_reply_send(reply, TSS_TAG(tss_reply_type(status), 0, 0), none__);", "}"]
    lines += _guard([f"{f.length} > {f.most}" for f in variable(method.reply)],
                    "return TSS_STATUS(TSS_E_ARGUMENT, 0);")
    if _needs_page(method.reply):
        lines.append(_page())
    more, end = _encode(method.reply, in_place=False)
    lines += [*more, f"const uint64_t w__[4] = {{{', '.join(_registers(method.reply))}}};",
              f"return tss_reply_send(reply, TSS_TAG(0, {end}, {len(caps(method.reply))}), w__);"]
    return ["", "/* Answers a call that the operation deferred. */",
            *_block(f"static inline tss_status_t {interface}_{method.name}_reply({parameters})", lines)]


def code(interface: str, method: Method) -> Code:
    """Everything the template prints for `method`."""
    client = _client(interface, method) + (_client_send(interface, method) if method.oneway else [])
    server = _server(interface, method) + _server_reply(interface, method)
    parameters = ["void *state", "struct tss_request *request", *_inputs(method.request),
                  *_outputs(method.reply, False)]
    operation = f"tss_status_t (*{method.name})({', '.join(parameters)});"
    maxima = tuple((f"{method.name}_{f.name}_max".upper(), f.most)
                   for f in (*variable(method.request), *shared(method.request), *variable(method.reply)))
    stubs = [f"{interface}_{method.name}", *([f"{interface}_{method.name}_send"] if method.oneway else [])]
    return Code(method.name, method.number, said(method.doc), maxima, tuple(stubs), operation, tuple(client),
                tuple(server))
