//! Characters that must not reach a reader as they are: what a terminal obeys, does not show, or turns around.

/// Whether a character is a control, has no width, or changes the direction of the text around it. Line ends
/// and tabs are controls too.
pub fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{feff}' | '\u{115f}' | '\u{1160}')
        || matches!(character, '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}')
        || matches!(character, '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fffb}')
        || matches!(character, '\u{e0000}'..='\u{e0fff}')
}
