# SPDX-License-Identifier: BSD-2-Clause
"""The C of one interface method, as lists of lines that the template prints. Pure functions of the description.

Names that the generated functions introduce end in an underscore; argument names never do.
"""
from dataclasses import dataclass

REGISTERS = 4  # TSS_MESSAGE_REGISTERS
SCALARS = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "i32": "int32_t",
           "i64": "int64_t", "bool": "bool"}
BUFFERS = {"bytes": "void", "string": "char"}
_TOO_BIG = {"u8": "{0} > UINT8_MAX", "u16": "{0} > UINT16_MAX", "u32": "{0} > UINT32_MAX", "bool": "{0} > 1",
            "i32": "(int64_t){0} != (int32_t){0}"}


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    most: int  # bytes, of a buffer


@dataclass(frozen=True)
class Method:
    name: str
    number: int
    doc: str
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
    operation: str  # member of the operations struct
    client: tuple[str, ...]
    server: tuple[str, ...]


def scalars(fields: tuple[Field, ...]) -> list[Field]:
    return [f for f in fields if f.kind in SCALARS]


def buffers(fields: tuple[Field, ...]) -> list[Field]:
    return [f for f in fields if f.kind in BUFFERS]


def caps(fields: tuple[Field, ...]) -> list[Field]:
    return [f for f in fields if f.kind == "cap"]


def head(fields: tuple[Field, ...]) -> int:
    """Bytes before the buffers."""
    return 8 * (len(scalars(fields)) + len(buffers(fields)))


def most_bytes(fields: tuple[Field, ...]) -> int:
    """The longest message these fields can make."""
    return head(fields) + sum((f.most + 7) // 8 * 8 for f in buffers(fields))


def parameter_names(field: Field) -> list[str]:
    """Every C name an argument uses up."""
    return [field.name, *([f"{field.name}_size", f"{field.name}_capacity"] if field.kind in BUFFERS else [])]


def _inputs(fields: tuple[Field, ...]) -> list[str]:
    """Parameters that bring values in."""
    found = []
    for f in fields:
        if f.kind in BUFFERS:
            found += [f"const {BUFFERS[f.kind]} *{f.name}", f"size_t {f.name}_size"]
        else:
            found.append(f"{SCALARS.get(f.kind, 'cap_t')} {f.name}")
    return found


def _outputs(fields: tuple[Field, ...], capacity: bool) -> list[str]:
    """Parameters that take values out; with `capacity` a buffer's space is the caller's and can be shorter."""
    found = []
    for f in fields:
        if f.kind in BUFFERS:
            found += [f"{BUFFERS[f.kind]} *{f.name}", *([f"size_t {f.name}_capacity"] if capacity else []),
                      f"size_t *{f.name}_size"]
        else:
            found.append(f"{SCALARS.get(f.kind, 'cap_t')} *{f.name}")
    return found


def _packed(field: Field) -> str:
    """A scalar as the word it travels in."""
    cast = {"i32": "(uint64_t)(int64_t)", "i64": "(uint64_t)"}.get(field.kind, "")
    return f"{cast}{field.name}"


def _header(fields: tuple[Field, ...]) -> list[str]:
    return [_packed(f) for f in scalars(fields)] + [f"{f.name}_size" for f in buffers(fields)]


def _needs_page(fields: tuple[Field, ...]) -> bool:
    return bool(buffers(fields) or caps(fields) or head(fields) > 8 * REGISTERS)


def _registers(fields: tuple[Field, ...]) -> list[str]:
    """The expressions of the four register words; buffers must lie in send[] by now."""
    header = _header(fields)
    return [header[i] if i < len(header) else f"page_->send[{i}]" if buffers(fields) else "0"
            for i in range(REGISTERS)]


def _encode(fields: tuple[Field, ...], in_place: bool) -> tuple[list[str], str]:
    """Lines that put what does not travel in registers into the page, and the expression of the length."""
    header = _header(fields)
    lines = [f"page_->send[{i}] = {word};" for i, word in enumerate(header) if i >= REGISTERS]
    end = str(head(fields))
    if buffers(fields):
        lines.append(f"uint64_t end_ = {end};")
        for f in buffers(fields):
            put = f"tss_pad_bytes(page_->send, end_, {f.name}_size)" if in_place else \
                f"tss_put_bytes(page_->send, end_, {f.name}, {f.name}_size)"
            lines.append(f"end_ = {put};")
        end = "end_"
    lines += [f"page_->send_caps[{i}] = {f.name};" for i, f in enumerate(caps(fields))]
    return lines, end


def _range_checks(fields: tuple[Field, ...], words: str) -> list[str]:
    """Conditions under which a received scalar is not of its type."""
    return [_TOO_BIG[f.kind].format(_word(i, words)) for i, f in enumerate(scalars(fields)) if f.kind in _TOO_BIG]


def _word(index: int, words: str) -> str:
    return f"{words}[{index}]" if index < REGISTERS else f"page_->recv[{index}]"


def _unpacked(field: Field, word: str) -> str:
    return f"{word} != 0" if field.kind == "bool" else word if field.kind == "u64" else f"({SCALARS[field.kind]}){word}"


def _lengths(fields: tuple[Field, ...], words: str) -> list[tuple[Field, str]]:
    return [(f, _word(len(scalars(fields)) + i, words)) for i, f in enumerate(buffers(fields))]


def _page() -> str:
    return "struct tss_ipc_page *const page_ = tss_ipc();"


def _block(signature: str, lines: list[str]) -> list[str]:
    return [signature, "{", *(f"\t{line}" if line else "" for line in lines), "}"]


def _guard(conditions: list[str], then: str) -> list[str]:
    return [f"if ({' || '.join(conditions)})", f"\t{then}"] if conditions else []


def _tag(kind: str, fields: tuple[Field, ...], lengths: list[tuple[Field, str]]) -> str:
    """The only tag that a message with buffers of these lengths, each in range, can have."""
    total = " + ".join([str(head(fields)), *(f"tss_padded({length})" for _, length in lengths)])
    return f"TSS_TAG({kind}, {total}, {len(caps(fields))})"


def _spill(fields: tuple[Field, ...], words: str) -> list[str]:
    """Lines that put the register words a buffer begins in to where it goes on."""
    return [f"page_->recv[{i}] = {words}[{i}];" for i in range(head(fields) // 8, REGISTERS)]


def _client_reply(reply: tuple[Field, ...]) -> list[str]:
    """Checks a reply and takes it apart."""
    wrong = "return tss_reply_error(tag_);"
    lengths = _lengths(reply, "w_")
    lines = _guard([*(f"{length} > {most}" for f, length in lengths for most in (f.most, f"{f.name}_capacity")),
                    f"tag_ != {_tag('0', reply, lengths)}"], wrong)
    lines += _guard(_range_checks(reply, "w_"), wrong)
    for f, length in lengths:
        lines += [*_spill(reply, "w_"), f"tss_copy({f.name}, (const uint8_t *)page_->recv + {head(reply)}, {length});",
                  f"*{f.name}_size = {length};"]
    for i, f in enumerate(scalars(reply)):
        lines += _guard([f"{f.name} != NULL"], f"*{f.name} = {_unpacked(f, _word(i, 'w_'))};")
    for i, f in enumerate(caps(reply)):
        lines.append(f"*{f.name} = page_->recv_caps[{i}];")
    return [*lines, "return TSS_OK;"]


def _client_request(method: Method, page: bool) -> tuple[list[str], str]:
    """Checks and encodes the arguments of a client's stub."""
    lines = [line for f in buffers(method.request)
             for line in _guard([f"{f.name}_size > {f.most}"], "return TSS_STATUS(TSS_E_ARGUMENT, 0);")]
    if page:
        lines.append(_page())
    more, end = _encode(method.request, in_place=False)
    return lines + more, f"TSS_TAG({method.number}, {end}, {len(caps(method.request))})"


def _client(interface: str, method: Method) -> list[str]:
    parameters = ", ".join(["cap_t connection", *_inputs(method.request), *_outputs(method.reply, True),
                            "uint64_t timeout_us"])
    lines, tag = _client_request(method, _needs_page(method.request) or _needs_page(method.reply))
    words, call = _registers(method.request), "tss_connection_call(connection, &tag_, w_, timeout_us);"
    lines += [f"uint64_t w_[4] = {{{', '.join(words)}}};", f"tss_tag_t tag_ = {tag};", f"tss_status_t status_ = {call}"]
    if method.idempotent:
        again = [f"tag_ = {tag};", *(f"w_[{i}] = {word};" for i, word in enumerate(words)), f"status_ = {call}"]
        lines += ["if (TSS_UNLIKELY(status_ != TSS_OK) && TSS_CODE(status_) == TSS_E_PEER_RESTARTED) {",
                  *(f"\t{line}" for line in again), "}"]
    lines += ["if (TSS_UNLIKELY(status_ != TSS_OK))", "\treturn status_;", *_client_reply(method.reply)]
    return _block(f"static inline tss_status_t {interface}_{method.name}({parameters})", lines)


def _client_send(interface: str, method: Method) -> list[str]:
    parameters = ", ".join(["cap_t connection", *_inputs(method.request)])
    lines, tag = _client_request(method, _needs_page(method.request))
    send = f"tss_connection_send(connection, {tag}, w_);"
    lines += [f"const uint64_t w_[4] = {{{', '.join(_registers(method.request))}}};", f"tss_status_t status_ = {send}"]
    if method.idempotent:
        lines += ["if (TSS_CODE(status_) == TSS_E_PEER_RESTARTED)", f"\tstatus_ = {send}"]
    lines.append("return status_;")
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


def _server_arguments(method: Method) -> tuple[list[str], list[str]]:
    """Lines that prepare the operation's arguments, and the arguments."""
    request, arguments = method.request, []
    lines = _spill(request, "request->words") if buffers(request) else []
    at = f"(const uint8_t *)page_->recv + {head(request)}"
    lengths = {f.name: length for f, length in _lengths(request, "request->words")}
    number = {f.name: i for group in (scalars(request), caps(request)) for i, f in enumerate(group)}
    for f in request:
        if f.kind in BUFFERS:
            lines += [f"const size_t {f.name}_size_ = {lengths[f.name]};",
                      f"const {BUFFERS[f.kind]} *const {f.name}_ = (const void *)({at});"]
            if f.kind == "string":
                lines += _guard([f"memchr({f.name}_, 0, {f.name}_size_) != NULL"], "return tss_refuse_format(request);")
            at = f"(const uint8_t *){f.name}_ + tss_padded({f.name}_size_)"
            arguments += [f"{f.name}_", f"{f.name}_size_"]
        elif f.kind == "cap":
            arguments.append(f"page_->recv_caps[{number[f.name]}]")
        else:
            arguments.append(_unpacked(f, _word(number[f.name], "request->words")))
    return lines, arguments


def _server_results(method: Method) -> tuple[list[str], list[str]]:
    """Variables for what the operation gives back, and the arguments that let it."""
    lines, arguments = [], []
    for f in method.reply:
        if f.kind in BUFFERS:
            space = f"({BUFFERS[f.kind]} *)&page_->send[{head(method.reply) // 8}]"
            lines.append(f"size_t {f.name}_size = 0;")
            arguments += [space, f"&{f.name}_size"]
        else:
            lines.append(f"{SCALARS.get(f.kind, 'cap_t')} {f.name} = 0;")
            arguments.append(f"&{f.name}")
    return lines, arguments


def _server(interface: str, method: Method) -> list[str]:
    prepare, arguments = _server_arguments(method)
    variables, results = _server_results(method)
    lines = _guard([f"operations->{method.name} == NULL"], "return tss_refuse(request, TSS_REPLY_METHOD);")
    checks = _server_checks(method)
    deep = head(method.request) > 8 * REGISTERS
    if _needs_page(method.request) or _needs_page(method.reply):
        lines = [_page(), *lines, *checks] if deep else [*lines, *checks, _page()]
    else:
        lines += checks
    call = ", ".join(["state", "request", *arguments, *results])
    lines += [*prepare, *variables, f"tss_status_t status_ = operations->{method.name}({call});",
              "if (status_ == TSS_DEFER)", "\treturn TSS_DEFER;",
              "if (status_ != TSS_OK)", "\treturn tss_refuse(request, tss_reply_type(status_));"]
    lines += _guard([f"{f.name}_size > {f.most}" for f in buffers(method.reply)],
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
    lines = ["if (status != TSS_OK) {", "\tconst uint64_t none_[4] = {0, 0, 0, 0};",
             "\treturn tss_reply_send(reply, TSS_TAG(tss_reply_type(status), 0, 0), none_);", "}"]
    lines += _guard([f"{f.name}_size > {f.most}" for f in buffers(method.reply)],
                    "return TSS_STATUS(TSS_E_ARGUMENT, 0);")
    if _needs_page(method.reply):
        lines.append(_page())
    more, end = _encode(method.reply, in_place=False)
    lines += [*more, f"const uint64_t w_[4] = {{{', '.join(_registers(method.reply))}}};",
              f"return tss_reply_send(reply, TSS_TAG(0, {end}, {len(caps(method.reply))}), w_);"]
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
                   for f in (*buffers(method.request), *buffers(method.reply)))
    return Code(method.name, method.number, method.doc, maxima, operation, tuple(client), tuple(server))
