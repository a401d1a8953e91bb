extension SignatureError: CustomStringConvertible {
    /// One sentence with the rule that was broken, and what to write in `model.json` where that helps.
    public var description: String {
        switch self {
        case .invalidDocument(let source, let reason): "\(source) cannot be read: \(reason)"
        case .unknownInput(let name, let known):
            "the model has no input '\(name)'; its inputs are \(Self.list(known))"
        case .unknownOutput(let name, let known):
            "the model has no output '\(name)'; its outputs are \(Self.list(known))"
        case .noSequenceInput(let inputs):
            "no input can be the sequences (inputs: \(Self.list(inputs))); "
                + Self.hint(#""sequence": {"name": "...", "kind": "features", "layout": "channels_first"}"#)
        case .severalSequenceInputs(let names):
            "inputs \(Self.list(names)) could each be the sequences; "
                + Self.hint(#""sequence": {"name": "\#(names.first ?? "...")"}"#)
        case .unsupportedRank(let input, let axes):
            "input '\(input)' has the axes \(Self.axes(axes)); sequences have three, "
                + "[batch, channels, time] or [batch, time, channels], or as tokens two, [batch, time], "
                + "so this model can be run but not served"
        case .unsupportedElementType(let input, let meaning):
            "input '\(input)' has an element type that is not taken for \(meaning)"
        case .undeclaredAxes(let input):
            "input '\(input)' does not declare its axes; export the model with shapes"
        case .unknownLayout(let input, let axes):
            "which axis of input '\(input)' \(Self.axes(axes)) is the channels cannot be told; "
                + Self.hint(#""sequence": {"name": "\#(input)", "layout": "channels_first"}"#)
                + " or channels_last"
        case .unknownChannels(let input):
            "how many channels input '\(input)' has cannot be told; "
                + Self.hint(#""sequence": {"name": "\#(input)", "channels": 12}"#)
        case .fixedBatch(let input, let size):
            "input '\(input)' takes batches of \(size) only; export the model with a dynamic batch axis"
        case .fixedLength(let input, let length):
            "input '\(input)' takes sequences of length \(length) only; "
                + "export the model with a dynamic time axis"
        case .severalMasks(let names):
            "inputs \(Self.list(names)) could each be the mask; "
                + Self.hint(#""mask": {"name": "\#(names.first ?? "...")"}"#)
        case .severalLengths(let names):
            "inputs \(Self.list(names)) could each be the lengths; "
                + Self.hint(#""lengths": {"name": "\#(names.first ?? "...")"}"#)
        case .maskAxes(let input, let axes):
            "mask '\(input)' has the axes \(Self.axes(axes)), not [batch, 1, time] or [batch, time]"
        case .paddingMask(let input):
            "input '\(input)' is named like a mask in which true stands for padding; export the model with "
                + "a mask that is true at real positions, or if it is one, "
                + Self.hint(#""mask": {"name": "\#(input)"}"#)
        case .unassignedInput(let name, let axes):
            "input '\(name)' \(Self.axes(axes)) is neither sequences, mask nor lengths; give it a default "
                + "value in the model, or " + Self.hint(#""mask": {"name": "\#(name)"}"#)
        case .undeclaredOutput(let name):
            "output '\(name)' does not declare its axes; "
                + Self.hint(#""outputs": [{"name": "\#(name)", "kind": "per_sequence"}]"#)
        case .outputBatchAxis(let name, let axes):
            "output '\(name)' \(Self.axes(axes)) does not have the batch as its first axis; "
                + Self.hint(#""outputs": [{"name": "..."}]"#) + ", with the outputs to serve"
        case .outputLength(let name, let length):
            "output '\(name)' has an axis of length '\(length)', which is not the sequence's; "
                + Self.hint(#""outputs": [{"name": "..."}]"#) + ", with the outputs to serve"
        case .ambiguousOutput(let name, let axes):
            "which axis of output '\(name)' \(Self.axes(axes)) is time cannot be told; "
                + Self.hint(#""outputs": [{"name": "\#(name)", "kind": "per_position", "time_axis": 2}]"#)
        case .noOutputs: "the model has no outputs to serve"
        case .invalidAlphabet(let error): "the alphabet is wrong: \(error)"
        case .alphabetForFeatures:
            "an alphabet or a pad_id is given, but the model takes features, not tokens"
        case .idOutOfRange(let key, let id, let size):
            "\(key) has the id \(id), but the model's embedding has the ids 0 to \(size - 1)"
        case .labelCount(let count):
            "\(count) labels are given, but no output per sequence has \(count) numbers"
        }
    }

    private static func hint(_ member: String) -> String {
        #"write {"signature": {\#(member)}} in model.json beside the model"#
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.map { "'\($0)'" }.joined(separator: ", ")
    }

    private static func axes(_ axes: [String]) -> String { "[\(axes.joined(separator: ", "))]" }
}

extension SignatureError.Source: CustomStringConvertible {
    /// The place in words.
    public var description: String {
        switch self {
        case .document: "model.json"
        case .metadata(let key): "metadata '\(key)' of the model"
        }
    }
}
