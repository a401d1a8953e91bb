import NIOHTTP1

/// Requests that must be refused, and how.
struct HostileInput: Sendable, CustomStringConvertible {
    let description: String
    let path: String
    let type: String?
    let body: String
    let status: UInt
    let code: String
    let place: String?

    static let cnn = "/v1/models/vowels-cnn:predict"
    static let peptides = "/v1/models/peptide-bytenet:predict"
    static let row = "[1,2,3,4,5,6,7,8,9,10,11,12]"

    private init(
        _ description: String,
        _ path: String,
        _ body: String,
        _ status: UInt,
        _ code: String,
        _ place: String?,
        type: String? = "application/json"
    ) {
        self.description = description
        self.path = path
        self.type = type
        self.body = body
        self.status = status
        self.code = code
        self.place = place
    }

    private static func instances(_ values: String...) -> String {
        "{\"instances\":[\(values.joined(separator: ","))]}"
    }
    private static func vowel(_ number: String) -> String { "[[\(number),2,3,4,5,6,7,8,9,10,11,12]]" }

    static let bodies: [HostileInput] = [
        HostileInput("nothing", cnn, "", 400, "invalid_json", nil),
        HostileInput("not json", cnn, "vowel", 400, "invalid_json", nil),
        HostileInput("truncated json", cnn, "{\"instances\":[\(vowel("1"))", 400, "invalid_json", nil),
        HostileInput("more after the end", cnn, instances(vowel("1")) + "{}", 400, "invalid_json", nil),
        HostileInput("a number", cnn, "7", 400, "invalid_json", nil),
        HostileInput(
            "instances of the wrong type",
            cnn,
            #"{"instances":7}"#,
            400,
            "invalid_json",
            "instances"
        ),
        HostileInput(
            "a string among numbers",
            cnn,
            instances(vowel("1"), vowel("\"x\"")),
            400,
            "invalid_json",
            "instances[1]"
        ),
        HostileInput(
            "brackets without end",
            cnn,
            String(repeating: "[", count: 100_000),
            400,
            "invalid_json",
            nil
        ),
        HostileInput(
            "nested arrays",
            cnn,
            #"{"instances":"# + String(repeating: "[", count: 100_000)
                + String(repeating: "]", count: 100_000) + "}",
            400,
            "invalid_json",
            nil
        ),
        HostileInput(
            "nested objects",
            cnn,
            #"{"instances":"# + String(repeating: "{\"x\":", count: 100_000) + "1"
                + String(repeating: "}", count: 100_000) + "}",
            400,
            "invalid_json",
            nil
        ),
        HostileInput(
            "3 of 12 features",
            cnn,
            instances("[\(row)]", "[\(row)]", "[\(row)]", "[\(row),[1,2,3]]"),
            422,
            "invalid_input",
            "instances[3]"
        ),
        HostileInput("NaN", cnn, instances(vowel("NaN")), 400, "invalid_json", nil),
        HostileInput("Infinity", cnn, instances(vowel("-Infinity")), 400, "invalid_json", nil),
        HostileInput(
            "out of float range",
            cnn,
            instances(vowel("1"), vowel("1e39")),
            422,
            "invalid_input",
            "instances[1]"
        ),
        HostileInput(
            "a foreign letter",
            peptides,
            instances("\"ACD\"", "\"ACZ\""),
            422,
            "invalid_input",
            "instances[1][2]"
        ),
        HostileInput(
            "an empty sequence",
            cnn,
            instances("[\(row)]", "[]"),
            422,
            "invalid_input",
            "instances[1]"
        ),
        HostileInput("an empty string", peptides, instances("\"\""), 422, "invalid_input", "instances[0]"),
        HostileInput("empty instances", cnn, #"{"instances":[]}"#, 422, "invalid_input", "instances"),
        HostileInput("no instances", cnn, "{}", 422, "invalid_input", nil),
        HostileInput("letters for numbers", cnn, instances("\"ACD\""), 400, "invalid_json", "instances[0]"),
        HostileInput(
            "a token out of range",
            peptides,
            instances("[1,2]", "[99]"),
            422,
            "invalid_input",
            "instances[1]"
        ),
        HostileInput(
            "an unknown output",
            cnn,
            "{\"instances\":[[\(row)]],\"outputs\":[\"nothing\"]}",
            422,
            "invalid_input",
            "outputs"
        ),
        HostileInput(
            "an unknown layer",
            "/v1/models/vowels-cnn:normalize",
            "{\"instances\":[[\(row)]],\"layer\":\"nothing\"}",
            422,
            "invalid_input",
            "layer"
        ),
        HostileInput(
            "top_k 0",
            cnn,
            "{\"instances\":[[\(row)]],\"parameters\":{\"top_k\":0}}",
            422,
            "invalid_input",
            "parameters.top_k"
        ),
        HostileInput(
            "an unknown model",
            "/v1/models/nothing:predict",
            instances(vowel("1")),
            404,
            "model_not_found",
            nil
        ),
        HostileInput(
            "an unknown version",
            "/v1/models/vowels-cnn/versions/99:predict",
            instances(vowel("1")),
            404,
            "model_not_found",
            nil
        ),
        HostileInput(
            "a version that is no number",
            "/v1/models/vowels-cnn/versions/x:predict",
            instances(vowel("1")),
            404,
            "model_not_found",
            nil
        ),
        HostileInput(
            "an unknown verb",
            "/v1/models/vowels-cnn:explain",
            instances(vowel("1")),
            404,
            "not_found",
            nil
        ),
        HostileInput("an unknown path", "/v3", "{}", 404, "not_found", nil),
        HostileInput("a broken escape", "/v1/models/%zz:predict", "{}", 400, "malformed_request", nil),
        HostileInput("a wrong verb", "/v1/models", "{}", 405, "method_not_allowed", nil),
        HostileInput(
            "an unknown media type",
            cnn,
            instances(vowel("1")),
            415,
            "unsupported_media_type",
            nil,
            type: "text/plain"
        ),
        HostileInput("fasta for features", cnn, ">a\nACD\n", 422, "invalid_input", nil, type: "text/x-fasta"),
        HostileInput(
            "fasta with a foreign letter",
            peptides,
            ">a\nACD\n>b\nAC\nZ\n",
            422,
            "invalid_input",
            "line 5, sequence[2]",
            type: "text/x-fasta"
        ),
        HostileInput(
            "fasta without sequences",
            peptides,
            "\n",
            422,
            "invalid_input",
            nil,
            type: "text/x-fasta"
        ),
        HostileInput("no lines", peptides, "", 422, "invalid_input", nil, type: "application/x-ndjson"),
        HostileInput("infer without inputs", "/v2/models/vowels-cnn/infer", "{}", 422, "invalid_input", nil),
        HostileInput(
            "infer of an absurd shape",
            "/v2/models/vowels-cnn/infer",
            #"{"inputs":[{"name":"x","shape":[4611686018427387904,12,4],"datatype":"FP32","data":[1]}]}"#,
            422,
            "invalid_input",
            "inputs[0]"
        ),
        HostileInput(
            "infer of too few numbers",
            "/v2/models/vowels-cnn/infer",
            #"{"inputs":[{"name":"x","shape":[1,12,2],"datatype":"FP32","data":[1]}]}"#,
            422,
            "invalid_input",
            "inputs[0]"
        ),
    ]

    var headers: [(String, String)] { type.map { [("Content-Type", $0)] } ?? [] }
}
